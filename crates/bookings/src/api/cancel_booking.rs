//! `POST /api/v1/bookings/{id}/cancel`: a booking is given up.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::{BookingsManage, BookingsOwn};
use platform::auth::Can;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::step::{self, Reason};
use crate::App;
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
    let by_manager = actor.may::<BookingsManage>();
    step::step(&app, &actor, id, version, request.reason.as_deref(), |booking, now| {
        Ok((booking.cancel(by_manager, now)?, Told::Cancelled))
    })
    .await
}
