//! `POST /api/v1/bookings/{id}/reinstate`: a booking that was cancelled stands again, if its time is still free.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::refusal::{recorded, refuse};
use super::step::{self, Reason};
use crate::App;
use crate::booking::Booking;
use crate::store::told::Told;
use crate::store::write::{self, Applied, Change};

/// Un-cancels, under the rules as they are now.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/reinstate",
    operation_id = "reinstate_booking",
    tag = "bookings",
    summary = "Take a cancellation back",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "It stands again, or waits for approval", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "slot_taken (with `conflicts` and `alternatives`), invalid_transition, already_begun"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn reinstate_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    recorded(&app, &actor, step::runs(|| attempt(&app, &actor, id, version, &request)).await).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    request: &Reason,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin_planned(actor.organization).await?;
    let before = step::begin(&mut tx, actor, id, version).await?;
    let asked = before.clone().reinstate(act.now)?;
    let ids: Vec<_> = asked.resources.iter().map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[before.user_id]).await?;
    step::demand_open_account(&known, before.user_id, "")?;
    step::demand_bookable(&known.tree, &ids, &ids)?;
    let judged = step::judge(&mut tx, app, actor, &known, asked, None).await?;
    let terms = judged.terms.clone().asked_anew(&before.terms);
    let after = Booking { terms, status: judged.asked_for(), ..judged };
    let change = Change::step(before, after.clone(), Told::Reinstated, request.reason.clone());
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &[change]).await? {
        let rivals: Vec<_> = rivals.into_values().flatten().collect();
        return Err(refuse(&mut tx, app, actor, &known, &after, Vec::new(), &rivals).await?);
    }
    tx.commit().await?;
    Answer::ok(after.version, &BookingBody::from(after))
}
