//! `GET /internal/organizations/{organization_id}/bookings/{id}`: what of a booking is not in its events.

use axum::extract::State;
use contracts::bookings::{BookingDetails, Guest};
use kernel::{BookingId, OrganizationId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::bookings::{self, Lock};

/// The details, for another service.
///
/// # Errors
/// 404 when there is no such booking.
pub async fn get_details(
    _: Peer,
    State(app): State<App>,
    Path((organization, id)): Path<(OrganizationId, BookingId)>,
) -> Result<Json<BookingDetails>, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let booking = bookings::load(&mut tx, organization, id, Lock::None).await?;
    let booking = booking.ok_or_else(|| Problem::not_found("booking"))?;
    let guests = booking.guests.into_iter();
    let guests = guests.map(|guest| Guest { user_id: guest.user_id, email: guest.email, name: guest.name });
    Ok(Json(BookingDetails { id, title: booking.title, guests: guests.collect() }))
}
