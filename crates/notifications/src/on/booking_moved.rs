//! A booking has another time or resource: its owner is told both.

use contracts::bookings::BookingMoved;
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
pub async fn booking_moved(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &BookingMoved,
) -> Result<(), Problem> {
    let telling =
        to_owner(event, Kind::BookingMoved, &told.booking, told.before.as_ref(), told.reason.as_deref());
    tell(app, tx, &telling).await
}
