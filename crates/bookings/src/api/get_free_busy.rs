//! `GET /api/v1/resources/{id}/free-busy`: when a resource is taken and when it is free.

use std::collections::BTreeMap;

use axum::extract::State;
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use kernel::role::BookingsOwn;
use kernel::{ResourceId, Slot};
use platform::auth::Can;
use platform::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::learn;
use crate::App;
use crate::error::invalid_slot;
use crate::free::{bookable, free};
use crate::policy::Item;
use crate::rules::minutes;
use crate::store::calendar::{self, Calendar};
use crate::store::known::Known;
use crate::store::resources::{self, Resource};

/// The longest window that one call may ask for.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 93);

/// Of which window; without any, of today, by the clock of the resource.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Window {
    /// Start of the window; together with its end.
    #[garde(skip)]
    #[param(example = "2026-11-23T00:00:00Z")]
    pub from: Option<Timestamp>,
    /// End of the window, at most 93 days later.
    #[garde(skip)]
    #[param(example = "2026-11-24T00:00:00Z")]
    pub to: Option<Timestamp>,
}

/// When a resource is taken and when it is free.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreeBusy {
    /// The resource.
    pub resource_id: ResourceId,
    /// The window that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Slot>,
    /// When nothing of it can be booked, in order.
    pub busy: Vec<Slot>,
    /// The longest intervals in which one booking fits, in order. Of a pool they may overlap: each is of one unit.
    pub free: Vec<Slot>,
    /// What of the free intervals the caller could book: open, with room for what is kept free around a booking.
    pub bookable: Vec<Slot>,
    /// The units of a pool one by one; empty for a single thing.
    pub units: Vec<UnitFreeBusy>,
}

/// One unit of a pool.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitFreeBusy {
    /// The unit's number within the resource, from 1.
    pub number: i32,
    /// When it is taken.
    pub busy: Vec<Slot>,
    /// When it is free.
    pub free: Vec<Slot>,
}

/// A window that one call may ask for.
///
/// # Errors
/// 422 when it is empty or too long.
pub(super) fn window(from: Timestamp, to: Timestamp) -> Result<Slot, Problem> {
    let window = Slot::new(from, to).map_err(invalid_slot)?;
    if window.duration() > LONGEST {
        return Err(Problem::invalid_field("to", "window_too_long", "The window is 93 days long at most."));
    }
    Ok(window)
}

/// The window of a query, or the resource's today.
///
/// # Errors
/// 422 when it has one end only, is empty or too long.
pub(super) fn window_of(query: &Window, resource: &Resource, now: Timestamp) -> Result<Slot, Problem> {
    match (query.from, query.to) {
        (Some(from), Some(to)) => window(from, to),
        (None, None) => today(&resource.time_zone, now),
        (None, Some(_)) => Err(Problem::invalid_field("from", "required", "A window has two ends.")),
        (Some(_), None) => Err(Problem::invalid_field("to", "required", "A window has two ends.")),
    }
}

/// From midnight to midnight by the clock of a zone: 23 to 25 hours where clocks change.
fn today(zone: &str, now: Timestamp) -> Result<Slot, Problem> {
    let day = || -> Result<(Timestamp, Timestamp), jiff::Error> {
        let midnight = now.in_tz(zone)?.start_of_day()?;
        Ok((midnight.timestamp(), midnight.tomorrow()?.start_of_day()?.timestamp()))
    };
    let (from, to) = day().map_err(|error| Problem::internal(&error))?;
    Slot::new(from, to).map_err(invalid_slot)
}

/// Free and busy times, of today by the resource's clock unless a window is named. Busy times say nothing about whose they are.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/free-busy",
    operation_id = "get_free_busy",
    tag = "availability",
    summary = "See when a resource is free",
    params(("id" = ResourceId, Path, description = "The resource"), Window),
    responses(
        (status = 200, description = "Busy and free intervals", body = FreeBusy),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_free_busy(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    Query(query): Query<Window>,
) -> Result<Json<FreeBusy>, Problem> {
    let (mut tx, known) = learn::begin(&app, &actor, id).await?;
    let now = app.context.clock.now();
    let resource = known.tree.get(&id).ok_or_else(|| Problem::not_found("resource"))?;
    let window = window_of(&query, resource, now)?;
    let items = known.own_items();
    let wide = wide(&items, &window);
    let calendar = calendar::read(&mut tx, actor.organization, &known.tree, &wide, now).await?;
    let item = items.get(&id).ok_or_else(|| Problem::not_found("resource"))?;
    let units = calendar.units.get(&id).filter(|units| units.len() > 1).into_iter().flatten().map(
        |(unit, number)| {
            let free = window.minus(calendar.claims.get(unit).map_or(&[], Vec::as_slice));
            UnitFreeBusy { number: *number, busy: window.minus(&free), free }
        },
    );
    let units = units.collect();
    Ok(Json(FreeBusy { units, window: Some(window), ..times(&known, item, &calendar, &window, &wide) }))
}

/// A window with room for what is kept free around bookings in it, of any of the resources.
pub(super) fn wide(items: &BTreeMap<ResourceId, Item>, window: &Slot) -> Slot {
    let buffers = || items.values().map(|item| item.rules.buffers);
    let before = buffers().map(|buffers| buffers.before).max().unwrap_or(0);
    let after = buffers().map(|buffers| buffers.after).max().unwrap_or(0);
    window.padded(minutes(before), minutes(after))
}

/// The times of a resource within a window; the calendar is of the wider one.
pub(super) fn times(known: &Known, item: &Item, calendar: &Calendar, window: &Slot, wide: &Slot) -> FreeBusy {
    let instant = SignedDuration::from_micros(1);
    let shape = calendar.shape(&known.tree, item.resource_id);
    let free_within = |window: &Slot| free(&shape, &calendar.claims, window, instant);
    let bookable = bookable_times(known, item, &free_within(wide), window);
    let free = free_within(window);
    let busy = window.minus(&free);
    FreeBusy { resource_id: item.resource_id, window: None, busy, free, bookable, units: Vec::new() }
}

/// What of the free times of a resource the caller could book within a window.
pub(super) fn bookable_times(known: &Known, item: &Item, free: &[Slot], window: &Slot) -> Vec<Slot> {
    if !item.admits(&known.actor) || !resources::is_bookable(&known.tree, item.resource_id) {
        return Vec::new();
    }
    let open = free.iter().flat_map(|slot| bookable(item, slot));
    open.filter_map(|slot| slot.within(window)).collect()
}
