//! `POST /api/v1/bookings/{id}/reject`: one of those who have to agree refuses.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::step::{self, Reason};
use crate::App;
use crate::store::approvals;
use crate::store::told::Told;

/// Rejects. One refusal ends the request.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/reject",
    operation_id = "reject_booking",
    tag = "approvals",
    summary = "Refuse a request",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Rejected", body = BookingBody),
        (status = 403, description = "not_an_approver"),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition, request_expired, already_decided"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn reject_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    step::runs(async || {
        let act = step::act(&app, &actor);
        let mut tx = app.context.db.begin(actor.organization).await?;
        let before = approvals::begin(&mut tx, &actor, id, version, act.now).await?;
        let reason = request.reason.as_deref();
        approvals::decide(&mut tx, &actor, &before, false, reason, act.now).await?;
        let after = before.clone().reject(act.now)?;
        step::finish(&mut tx, &act, before, after.clone(), Told::Rejected, reason).await?;
        let version = after.version;
        let body = BookingBody::for_decision(&mut tx, after, &actor).await?;
        tx.commit().await?;
        Answer::ok(version, &body)
    })
    .await
}
