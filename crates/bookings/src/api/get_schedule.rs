//! `GET /api/v1/resources/{id}/schedule`: when a resource is open, all rules over it taken together, and what is special.

use axum::extract::State;
use contracts::rules::{Schedule, Scope};
use kernel::role::BookingsOwn;
use kernel::{ResourceId, Slot};
use platform::auth::Can;
use platform::http::{Json, Path, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;

use super::get_free_busy::{Window, window_of};
use super::learn;
use crate::App;
use crate::origins::Origin;
use crate::schedule::{SpecialDay, open, special_days};
use crate::store::blackouts::{self, Closure};
use crate::store::sight;

/// When a resource is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleBody {
    /// The resource.
    pub resource_id: ResourceId,
    /// The zone of its clock (IANA).
    #[schema(example = "Europe/Lisbon")]
    pub time_zone: String,
    /// Its hours; null when it is always open.
    pub schedule: Option<Schedule>,
    /// The rules that its hours stand in.
    pub schedule_from: Option<Origin>,
    /// Whether bookings have to be within its hours.
    pub within_hours: bool,
    /// The window that was looked at.
    pub window: Slot,
    /// When it is open within the window, by its hours alone, in order.
    pub open: Vec<Slot>,
    /// The days of the window on which other hours than those of the week apply: overrides and holidays.
    pub special_days: Vec<SpecialDay>,
    /// The closures that are laid over it within the window, in order, whatever the hours.
    pub closures: Vec<Closure>,
}

/// The hours that hold for the caller, who may be in a group with rules of its own.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/schedule",
    operation_id = "get_schedule",
    tag = "availability",
    summary = "See when a resource is open",
    description = "Of the window, or of today by the clock of the resource: the hours as instants, the days that are special and why, and the closures with what each is laid on. What is booked is told by free-busy.",
    params(("id" = ResourceId, Path, description = "The resource"), Window),
    responses(
        (status = 200, description = "Its hours", body = ScheduleBody),
        (status = 400, description = "invalid_query"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_schedule(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    Query(query): Query<Window>,
) -> Result<Json<ScheduleBody>, Problem> {
    let (mut tx, known) = learn::begin(&app, &actor, id).await?;
    let none = || Problem::not_found("resource");
    let resource = known.tree.get(&id).ok_or_else(none)?;
    let window = window_of(&query, resource, app.context.clock.now())?;
    let mut closures = blackouts::over(&mut tx, actor.organization, id, &window).await?;
    // That it is part of what is not there for the caller is not told.
    let named = closures.iter().filter(|closure| closure.scope == Scope::Resource);
    let named = named.map(|closure| ResourceId(closure.scope_id)).collect();
    let hidden = sight::hidden(&mut tx, &actor, named).await?;
    for closure in closures.iter_mut().filter(|closure| hidden.contains(&ResourceId(closure.scope_id))) {
        closure.scope_id = id.0;
    }
    tx.commit().await?;
    let (layers, item) = known.of_one(id, &known.actor).ok_or_else(none)?;
    let hours = item.rules.schedule;
    let from = layers.iter().rev().find(|layer| layer.rules.schedule.is_some());
    Ok(Json(ScheduleBody {
        resource_id: id,
        time_zone: resource.time_zone.clone(),
        schedule_from: from.map(Origin::from),
        within_hours: item.rules.within_hours,
        window,
        open: hours.as_ref().map_or_else(|| vec![window], |hours| open(hours, &item.zone, &window)),
        special_days: hours
            .as_ref()
            .map(|hours| special_days(hours, &item.zone, &window))
            .unwrap_or_default(),
        closures,
        schedule: hours,
    }))
}
