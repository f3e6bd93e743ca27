//! `GET /api/v1/bookings/{id}`: one booking.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::BookingBody;
use crate::App;
use crate::store::bookings::{self, Lock};

/// One booking.
#[utoipa::path(
    get,
    path = "/api/v1/bookings/{id}",
    operation_id = "get_booking",
    tag = "bookings",
    summary = "Read a booking",
    params(("id" = BookingId, Path, description = "The booking")),
    responses(
        (status = 200, description = "The booking", body = BookingBody),
        (status = 304, description = "Not changed since the version in If-None-Match"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let booking = bookings::load(&mut tx, actor.organization, id, Lock::None).await?;
    let booking = booking.ok_or_else(|| Problem::not_found("booking"))?;
    if !bookings::is_visible_to(&mut tx, &booking, &actor).await? {
        return Err(Problem::not_found("booking"));
    }
    Ok(ETag(booking.version).answer(&headers, BookingBody::from(booking)))
}
