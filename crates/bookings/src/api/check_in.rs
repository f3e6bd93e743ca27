//! `POST /api/v1/bookings/{id}/check-in`: the people are there.

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

/// Checks in.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/check-in",
    operation_id = "check_in",
    tag = "bookings",
    summary = "Check in",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Checked in", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition, check_in_closed"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn check_in(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    step::step(&app, &actor, id, version, request.reason.as_deref(), |booking, now| {
        Ok((booking.check_in(now)?, Told::CheckedIn))
    })
    .await
}
