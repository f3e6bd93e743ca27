//! A booking was given up: its owner is told, and why.

use contracts::bookings::BookingCancelled;
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
pub async fn booking_cancelled(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &BookingCancelled,
) -> Result<(), Problem> {
    let telling = to_owner(event, Kind::BookingCancelled, &told.booking, None, told.reason.as_deref());
    tell(app, tx, &telling).await
}
