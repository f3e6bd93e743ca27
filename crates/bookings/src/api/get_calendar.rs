//! `GET /api/v1/calendar`: many resources side by side, for a calendar view.

use axum::extract::State;
use contracts::bookings::{self as wire, BookingStatus};
use garde::Validate;
use jiff::Timestamp;
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{BookingId, Kind, ResourceId, Slot, UserId};
use platform::auth::{Actor, Can};
use platform::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::get_free_busy::{FreeBusy, times, wide, window};
use crate::App;
use crate::store::known::Known;
use crate::store::{calendar, past, reach, resources};

/// Resources in one call at most.
const MOST: usize = 100;
/// Bookings of the past in one call at most.
const MOST_PAST: usize = 5000;

/// Which resources, and when.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Grid {
    /// Ids of resources, separated by commas: 1 to 100.
    #[garde(length(min = 1, max = 3700))]
    #[param(max_length = 3700)]
    pub resource_ids: String,
    /// Start of the window, with an offset.
    #[garde(skip)]
    #[param(example = "2026-11-23T00:00:00Z")]
    pub from: Timestamp,
    /// End of the window, at most 93 days later.
    #[garde(skip)]
    #[param(example = "2026-11-24T00:00:00Z")]
    pub to: Timestamp,
    /// Show the bookings that stood then, as they were known at that instant, instead of what is free now: needs
    /// `bookings.manage`, and finds 5,000 bookings at most.
    #[garde(skip)]
    #[param(example = "2026-11-20T00:00:00Z")]
    pub as_of: Option<Timestamp>,
}

/// The times of each resource, in the order of the request; those that are not known are left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calendar {
    /// The resources; empty with `as_of`.
    pub items: Vec<FreeBusy>,
    /// With `as_of`: the bookings that stood then, by start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookings: Option<Vec<PastBooking>>,
}

/// A booking as it stood at some time.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastBooking {
    /// The booking.
    pub id: BookingId,
    /// What people call it.
    #[schema(example = "R7K2-M9QD")]
    pub reference: String,
    /// Its version then.
    pub version: i64,
    /// Where it was in its life.
    #[schema(value_type = crate::booking::Status)]
    pub status: BookingStatus,
    /// Whose it was.
    pub user_id: UserId,
    /// When it was to start.
    pub starts_at: Timestamp,
    /// When it was to end.
    pub ends_at: Timestamp,
    /// What it took, or was to take.
    pub resource_ids: Vec<ResourceId>,
}

impl From<wire::Booking> for PastBooking {
    fn from(booking: wire::Booking) -> Self {
        Self {
            id: booking.id,
            reference: booking.reference,
            version: booking.version,
            status: booking.status,
            user_id: booking.user_id,
            starts_at: booking.slot.starts_at(),
            ends_at: booking.slot.ends_at(),
            resource_ids: booking.resources.iter().map(|one| one.resource_id).collect(),
        }
    }
}

/// Free and busy times of many resources at once. Units of pools are not told one by one.
#[utoipa::path(
    get,
    path = "/api/v1/calendar",
    operation_id = "get_calendar",
    tag = "availability",
    summary = "See many resources side by side",
    params(Grid),
    responses(
        (status = 200, description = "The times of each", body = Calendar),
        (status = 400, description = "invalid_query"),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_calendar(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(grid): Query<Grid>,
) -> Result<Json<Calendar>, Problem> {
    let window = window(grid.from, grid.to)?;
    let ids: Result<Vec<ResourceId>, _> = grid.resource_ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| {
        Problem::invalid_field("resource_ids", "invalid", "Ids are UUIDs, separated by commas.")
    })?;
    if ids.len() > MOST {
        return Err(Problem::invalid_field("resource_ids", "too_many", "At most 100 resources at once."));
    }
    if let Some(as_of) = grid.as_of {
        return past(&app, &actor, &ids, &window, as_of).await.map(Json);
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    let tree = resources::tree(&mut tx, actor.organization, &ids).await?;
    let now = app.context.clock.now();
    let known = Known::load(&mut tx, &actor, tree).await?;
    let items = known.own_items();
    let wide = wide(&items, &window);
    let calendar = calendar::read(&mut tx, actor.organization, &known.tree, &wide, now).await?;
    let found = ids.iter().filter_map(|id| items.get(id)).filter(|item| item.is_seen_by(&known.actor));
    let items = found.map(|item| times(&known, item, &calendar, &window, &wide)).collect();
    Ok(Json(Calendar { items, bookings: None }))
}

/// The calendar as it stood at some time.
async fn past(
    app: &App,
    actor: &Actor,
    ids: &[ResourceId],
    window: &Slot,
    as_of: Timestamp,
) -> Result<Calendar, Problem> {
    if !actor.may::<BookingsManage>() {
        let detail = "The calendar of the past needs the permission bookings.manage.";
        return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
    }
    if as_of > app.context.clock.now() {
        return Err(Problem::invalid_field("as_of", "in_the_future", "It must not be in the future."));
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    reach::demand_places(&mut tx, actor, ids).await?;
    let found = past::bookings_as_of(&mut tx, actor.organization, ids, window, as_of, MOST_PAST).await?;
    let found = found.ok_or_else(|| {
        Problem::invalid_field("to", "too_many", "More than 5,000 bookings; ask for a shorter window.")
    })?;
    Ok(Calendar { items: Vec::new(), bookings: Some(found.into_iter().map(PastBooking::from).collect()) })
}
