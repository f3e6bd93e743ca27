//! `POST /api/v1/bookings/{id}/confirm`: a hold becomes a booking.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::step::{self, Reason};
use crate::App;
use crate::store::told::Told;

/// Confirms a hold.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/confirm",
    operation_id = "confirm_booking",
    tag = "bookings",
    summary = "Confirm a hold",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Confirmed", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition, hold_expired"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn confirm_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    step::step(&app, &actor, id, version, request.reason.as_deref(), |booking, now| {
        let booking = booking.confirm(now)?;
        let told = Told::made(booking.status);
        Ok((booking, told))
    })
    .await
}
