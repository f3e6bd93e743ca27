//! `GET /api/v1/resources/{id}/next-free`: when it can be had next.

use axum::extract::State;
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use kernel::role::BookingsOwn;
use kernel::{ResourceId, Slot};
use platform::auth::Can;
use platform::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::get_free_busy::{LONGEST, bookable_times, wide};
use super::learn;
use crate::App;
use crate::error::invalid_slot;
use crate::free::free;
use crate::store::calendar;

/// For how long, and from when on.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Need {
    /// How long it is needed, in minutes: 1 to 44640.
    #[garde(range(min = 1, max = 44640))]
    #[param(minimum = 1, maximum = 44640, example = 60)]
    pub duration_minutes: i64,
    /// From when on, with an offset; from now on when absent.
    #[garde(skip)]
    pub from: Option<Timestamp>,
}

/// The next time, if there is one in the next 93 days.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextFree {
    /// The resource.
    pub resource_id: ResourceId,
    /// The next time, of the length that was asked for.
    pub slot: Option<Slot>,
    /// Until when it could be extended.
    pub free_until: Option<Timestamp>,
}

/// Looks 93 days ahead.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/next-free",
    operation_id = "get_next_free",
    tag = "availability",
    summary = "Find when a resource can be had next",
    params(("id" = ResourceId, Path, description = "The resource"), Need),
    responses(
        (status = 200, description = "The next time, or null", body = NextFree),
        (status = 400, description = "invalid_query"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_next_free(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    Query(need): Query<Need>,
) -> Result<Json<NextFree>, Problem> {
    let now = app.context.clock.now();
    let from = need.from.unwrap_or(now).max(now);
    let to = from.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
    let window = Slot::new(from, to).map_err(invalid_slot)?;
    let length = SignedDuration::from_mins(need.duration_minutes);
    let (mut tx, known) = learn::begin(&app, &actor, id).await?;
    let items = known.own_items();
    let wide = wide(&items, &window);
    let calendar = calendar::read(&mut tx, actor.organization, &known.tree, &wide, now).await?;
    let item = items.get(&id).ok_or_else(|| Problem::not_found("resource"))?;
    let free = free(&calendar.shape(&known.tree, id), &calendar.claims, &wide, length);
    let times = bookable_times(&known, item, &free, &window);
    let first = times.into_iter().filter(|slot| slot.duration() >= length).min();
    Ok(Json(NextFree {
        resource_id: id,
        slot: first.and_then(|slot| Slot::new(slot.starts_at(), slot.starts_at() + length).ok()),
        free_until: first.map(|slot| slot.ends_at()),
    }))
}
