//! A booking stands: its owner is told.

use contracts::bookings::BookingConfirmed;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use super::to_owner;
use crate::App;
use crate::message::Kind;
use crate::store::tell;

/// Tells the owner.
///
/// # Errors
/// When the database fails.
pub async fn booking_confirmed(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &BookingConfirmed,
) -> Result<(), Problem> {
    let telling = to_owner(event, Kind::BookingConfirmed, &told.booking, None, None);
    tell(app, tx, &telling).await
}
