//! `POST /api/v1/bookings/{id}/swap`: two bookings change places.

use axum::extract::State;
use garde::Validate;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::BookingBody;
use super::refusal::{recorded, refuse};
use super::step;
use crate::App;
use crate::booking::Booking;
use crate::store::known::Known;
use crate::store::told::Told;
use crate::store::write::{self, Applied, Change};

/// With which.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SwapBookings)]
pub struct Request {
    /// The other booking.
    #[garde(skip)]
    pub with: BookingId,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Each takes the other's time and resources; both or neither. The caller must be allowed to change both.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/swap",
    operation_id = "swap_bookings",
    tag = "bookings",
    summary = "Let two bookings change places",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "The first of them, at the other's place", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "slot_taken, invalid_transition"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn swap_bookings(
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
    if id == request.with {
        return Err(Problem::invalid_field(
            "/with",
            "same_booking",
            "A booking has no other place than its own.",
        ));
    }
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin_planned(actor.organization).await?;
    let (one, other) = both(&mut tx, actor, id, version, request.with).await?;
    let ids: Vec<_> = one.resources.iter().chain(&other.resources).map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[one.user_id, other.user_id]).await?;
    let mut changes = Vec::new();
    for (before, place) in [(&one, &other), (&other, &one)] {
        let after = relocated(&mut tx, app, actor, &known, before, place).await?;
        changes.push(Change::step(before.clone(), after, Told::Moved, request.reason.clone()));
    }
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &changes).await? {
        let place = rivals.keys().next().copied().unwrap_or(0);
        let rivals: Vec<_> = rivals.into_values().flatten().collect();
        return Err(refuse(&mut tx, app, actor, &known, &changes[place].after, Vec::new(), &rivals).await?);
    }
    tx.commit().await?;
    let after = changes.swap_remove(0).after;
    Answer::ok(after.version, &BookingBody::from(after))
}

/// Both bookings, locked in the order of their ids: two swaps at once wait for each other in one order.
async fn both(
    tx: &mut Tx,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    with: BookingId,
) -> Result<(Booking, Booking), Problem> {
    if id < with {
        let one = step::begin(tx, actor, id, version).await?;
        return Ok((one, step::begin(tx, actor, with, None).await?));
    }
    let other = step::begin(tx, actor, with, None).await?;
    Ok((step::begin(tx, actor, id, version).await?, other))
}

/// A booking at another's place, under the rules there.
async fn relocated(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    before: &Booking,
    place: &Booking,
) -> Result<Booking, Problem> {
    let (slot, resources) = (place.slot, place.resources.clone());
    let asked = Booking { slot, resources: resources.clone(), ..before.clone() };
    // It comes to a start that was allowed before: one in the past stays as it is.
    let judged = step::judge(tx, app, actor, known, asked, Some(slot)).await?;
    let mut after = before.clone().relocate(slot, resources, judged.terms, app.context.clock.now())?;
    // Nothing is given up late: the other comes to its place, under the terms there.
    after.terms.owed.clone_from(&before.terms.owed);
    let flag = step::flag_after(&known.tree, before, &after);
    Ok(Booking { quote: judged.quote, priority: judged.priority, flag, ..after })
}
