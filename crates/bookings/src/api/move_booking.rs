//! `POST /api/v1/bookings/{id}/move`: another time, another resource, or both; longer and shorter are moves too.

use axum::extract::State;
use contracts::bookings::BookingMoved;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::BookingsOwn;
use kernel::{BookingId, ResourceId, Slot};
use platform::auth::{Actor, Can};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_booking::booked;
use super::{BookingBody, step};
use crate::App;
use crate::booking::Booking;
use crate::error::{Error, invalid_slot};
use crate::policy::Policy;
use crate::store::claims::{self, Placed, Wanted};

/// Where to; what is absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoveBooking)]
pub struct Request {
    /// The new start, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-11-23T15:00:00+01:00")]
    pub starts_at: Option<Timestamp>,
    /// The new end, with an offset. When only the start is given, the length stays.
    #[garde(skip)]
    #[schema(example = "2026-11-23T16:30:00+01:00")]
    pub ends_at: Option<Timestamp>,
    /// The new resource, of a booking of a single one.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Request {
    fn slot(&self, before: &Slot) -> Result<Slot, Problem> {
        let starts_at = self.starts_at.unwrap_or_else(|| before.starts_at());
        let ends_at = match (self.starts_at, self.ends_at) {
            (_, Some(ends_at)) => ends_at,
            (Some(starts_at), None) => starts_at
                .checked_add(before.duration())
                .map_err(|_| invalid_slot(kernel::slot::SlotError::TooLong))?,
            (None, None) => before.ends_at(),
        };
        Slot::new(starts_at, ends_at).map_err(invalid_slot)
    }

    fn wanted(&self, before: &Booking) -> Result<Vec<Wanted>, Problem> {
        let same =
            before.resources.iter().map(|one| Wanted { resource_id: one.resource_id, units: one.units });
        match self.resource_id {
            None => Ok(same.collect()),
            Some(resource_id) if before.resources.len() == 1 => {
                Ok(same.map(|one| Wanted { resource_id, ..one }).collect())
            }
            Some(_) => {
                let detail = "The booking has several resources; which of them is to change is not said.";
                Err(Problem::invalid_field("/resource_id", "several_resources", detail))
            }
        }
    }
}

/// Moves.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/move",
    operation_id = "move_booking",
    tag = "bookings",
    summary = "Move, extend, shorten, or change the resource",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Moved", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "slot_taken (with `conflicts` and `alternatives`), invalid_transition, hold_expired"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated, not_enough_units")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn move_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let mut run = 0;
    loop {
        run += 1;
        match attempt(&app, &actor, id, version, &request).await {
            Err(problem) if problem.transient && run < step::RUNS => step::pause(run).await,
            result => return result,
        }
    }
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    request: &Request,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before = step::begin(&mut tx, actor, id, version).await?;
    let (slot, wanted) = (request.slot(&before.slot)?, request.wanted(&before)?);
    let ids: Vec<_> = wanted.iter().map(|wanted| wanted.resource_id).collect();
    // The old resources as well, in one order with the new: whoever waits for the freed time finds it orderly.
    let concerned: Vec<_> =
        ids.iter().copied().chain(before.resources.iter().map(|one| one.resource_id)).collect();
    let tree = claims::lock(&mut tx, organization, &concerned).await?;
    let is_gone = |id: &ResourceId| tree.get(id).is_none_or(|resource| !resource.active);
    if ids.iter().any(|id| is_gone(id) && before.resources.iter().all(|one| one.resource_id != *id)) {
        drop(tx);
        step::know(app, actor, &ids).await?;
        return Err(Problem::unavailable("resource_unknown", "Try again.", 1).or_run_again());
    }
    // Shortening one that has begun keeps its start; a start that stays is no start in the past.
    let mut broken = Policy::default().evaluate(&slot, now);
    broken.retain(|broken| broken.rule != "lead_time" || slot.starts_at() != before.slot.starts_at());
    if !broken.is_empty() {
        return Err(Error::PolicyViolated(broken).into());
    }
    let after = before.clone().relocate(slot, booked(&tree, &wanted), now)?;
    claims::release(&mut tx, organization, id).await?;
    if let Placed::No(rivals) = claims::place(&mut tx, organization, &tree, &after, &wanted).await? {
        return Err(step::slot_taken(&mut tx, app, actor, &tree, &wanted, &after, &rivals).await?);
    }
    let reason = request.reason.clone();
    let moved = |before, booking, reason| BookingMoved { before, booking, reason };
    let answer = step::finish(&mut tx, actor, &before, after, reason, moved).await?;
    tx.commit().await?;
    Ok(answer)
}
