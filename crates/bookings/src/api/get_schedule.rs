//! `GET /api/v1/resources/{id}/schedule`: when a resource is open, all rules over it taken together.

use axum::extract::State;
use contracts::rules::Schedule;
use kernel::ResourceId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::learn;
use crate::App;

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
    /// Whether bookings have to be within its hours.
    pub within_hours: bool,
}

/// The hours that hold for the caller, who may be in a group with rules of its own.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/schedule",
    operation_id = "get_schedule",
    tag = "availability",
    summary = "See when a resource is open",
    params(("id" = ResourceId, Path, description = "The resource")),
    responses(
        (status = 200, description = "Its hours", body = ScheduleBody),
        (status = 404, description = "not_found"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_schedule(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
) -> Result<Json<ScheduleBody>, Problem> {
    let (tx, known) = learn::begin(&app, &actor, id).await?;
    tx.commit().await?;
    let resource = known.tree.get(&id).ok_or_else(|| Problem::not_found("resource"))?;
    let item = known.own_items().remove(&id).ok_or_else(|| Problem::not_found("resource"))?;
    Ok(Json(ScheduleBody {
        resource_id: id,
        time_zone: resource.time_zone.clone(),
        schedule: item.rules.schedule,
        within_hours: item.rules.within_hours,
    }))
}
