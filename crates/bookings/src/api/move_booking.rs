//! `POST /api/v1/bookings/{id}/move`: another time, another resource, or both; longer and shorter are moves too.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::BookingsOwn;
use kernel::{BookingId, ConflictId, ResourceId, Slot};
use platform::auth::{Actor, Can};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_booking::{RequestedResource, booked, wanted};
use super::refusal::{recorded, refuse};
use super::{BookingBody, step};
use crate::App;
use crate::booking::{Booking, Wanted};
use crate::error::{Error, invalid_slot};
use crate::store::told::Told;
use crate::store::write::{self, Applied, Change};
use crate::store::{bookings, conflicts};

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
    /// The new resources, all of them, of a booking of any number: 1 to 20.
    #[garde(length(min = 1, max = 20), dive)]
    #[schema(min_items = 1, max_items = 20)]
    pub resources: Option<Vec<RequestedResource>>,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// The refusal after which it moves there instead: its `conflict_id`.
    #[garde(skip)]
    pub conflict_id: Option<ConflictId>,
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
        let same = before.wanted();
        if let Some(resources) = &self.resources {
            return wanted(None, Some(resources));
        }
        match self.resource_id {
            None => Ok(same),
            Some(resource_id) if same.len() == 1 => {
                Ok(same.into_iter().map(|one| Wanted { resource_id, ..one }).collect())
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
        (status = 403, description = "outside_remit"),
        (status = 404, description = "not_found"),
        (status = 409, description = "too_late_to_cancel, already_begun, slot_taken (with `conflicts` and `alternatives`), invalid_transition, hold_expired"),
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
    recorded(&app, &actor, step::runs(|| attempt(&app, &actor, id, version, &request)).await).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    request: &Request,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin_planned(actor.organization).await?;
    let before = step::begin(&mut tx, actor, id, version).await?;
    let (slot, wanted) = (request.slot(&before.slot)?, request.wanted(&before)?);
    let is_late = before.is_past_deadline(act.now) && slot.starts_at() != before.slot.starts_at();
    if is_late && !bookings::is_managed_by(&mut tx, &before, actor).await? {
        return Err(Error::TooLateToCancel.into());
    }
    let ids: Vec<_> = wanted.iter().map(|wanted| wanted.resource_id).collect();
    let had: Vec<_> = before.resources.iter().map(|one| one.resource_id).collect();
    // The old resources as well, in one order with the new: whoever waits for the freed time finds it orderly.
    let concerned: Vec<_> = ids.iter().chain(&had).copied().collect();
    let (mut tx, known) = step::look(app, actor, tx, &concerned, &[before.user_id]).await?;
    let fresh: Vec<_> = ids.iter().filter(|id| !had.contains(id)).copied().collect();
    step::demand_seen(&known, &fresh, &ids)?;
    if before.created_by != actor.user {
        step::demand_reach(&known, actor, before.user_id, &ids)?;
    }
    step::demand_bookable(&known.tree, &fresh, &ids)?;
    let asked = Booking { slot, resources: booked(&known.tree, &wanted), ..before.clone() };
    let judged = step::judge(&mut tx, app, actor, &known, asked, Some(before.slot)).await?;
    let after = before.clone().relocate(slot, judged.resources, judged.terms, act.now)?;
    let flag = step::flag_after(&known.tree, &before, &after);
    let quote = before.requoted(judged.quote, act.now);
    let after = Booking { quote, priority: judged.priority, flag, ..after };
    let change = Change::step(before, after.clone(), Told::Moved, request.reason.clone());
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &[change]).await? {
        let rivals: Vec<_> = rivals.into_values().flatten().collect();
        return Err(refuse(&mut tx, app, actor, &known, &after, Vec::new(), &rivals).await?);
    }
    conflicts::booked(&mut tx, &act, request.conflict_id, &after).await?;
    tx.commit().await?;
    Answer::ok(after.version, &BookingBody::from(after))
}
