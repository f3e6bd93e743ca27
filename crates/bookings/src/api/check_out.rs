//! `POST /api/v1/bookings/{id}/check-out`: the people have left.

use axum::extract::State;
use contracts::bookings::BookingCompleted;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::step::{self, Reason};
use crate::App;
use crate::store::claims;

/// Checks out, and frees what is left of the time.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/check-out",
    operation_id = "check_out",
    tag = "bookings",
    summary = "Check out, early or on time",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Completed", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn check_out(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let before = step::begin(&mut tx, &actor, id, version).await?;
    let after = before.clone().check_out(now)?;
    claims::release_from(&mut tx, actor.organization, id, now).await?;
    let answer = step::finish(&mut tx, &actor, &before, after, request.reason, |before, booking, reason| {
        BookingCompleted { before, booking, reason }
    });
    let answer = answer.await?;
    tx.commit().await?;
    Ok(answer)
}
