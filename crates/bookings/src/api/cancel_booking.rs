//! `POST /api/v1/bookings/{id}/cancel`: a booking is given up.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::step::{self, Reason};
use crate::App;
use crate::store::bookings;
use crate::store::told::Told;

/// Cancels.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/cancel",
    operation_id = "cancel_booking",
    tag = "bookings",
    summary = "Cancel a booking",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Cancelled; its time is free", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition, hold_expired, already_over, too_late_to_cancel"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn cancel_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    step::runs(async || {
        let act = step::act(&app, &actor);
        let mut tx = app.context.db.begin_planned(actor.organization).await?;
        let before = step::begin(&mut tx, &actor, id, version).await?;
        let by_manager = bookings::is_managed_by(&mut tx, &before, &actor).await?;
        let after = before.clone().cancel(by_manager, act.now)?;
        let reason = request.reason.as_deref();
        let answer = step::finish(&mut tx, &act, before, after, Told::Cancelled, reason).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}
