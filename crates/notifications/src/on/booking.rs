//! What happens to a booking: its owner is told, and who has to decide on it.

use contracts::bookings::{
    Booking, BookingCancelled, BookingCompleted, BookingConfirmed, BookingExpired, BookingFlagged,
    BookingHeld, BookingMoved, BookingNoShow, BookingReinstated, BookingRejected, BookingReminderDue,
    BookingRequested, BookingStatus, BookingTransferred,
};
use kernel::{Event as _, UserId};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;
use serde::Deserialize;

use super::read;
use crate::App;
use crate::message::{Appointment, Facts, Kind, Place};
use crate::store::{About, Telling, tell};

/// What every event of a booking has.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    before: Option<Booking>,
    booking: Booking,
    #[serde(default)]
    reason: Option<String>,
}

/// Tells the owner, and who has to decide.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn booking(app: &App, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    if !event.kind.starts_with("reservas.booking.") {
        return Ok(());
    }
    let told: Told = read(event)?;
    if let Some(kind) = owners(&event.kind, &told) {
        tell(app, tx, &telling(event, &told, kind, told.booking.user_id)).await?;
    }
    for approver in &told.booking.approver_ids {
        tell(app, tx, &telling(event, &told, Kind::BookingApprovalNeeded, *approver)).await?;
    }
    Ok(())
}

/// What the owner is told, if anything.
fn owners(event: &str, told: &Told) -> Option<Kind> {
    let is_pending = told.booking.status == BookingStatus::Pending;
    let was_pending = told.before.as_ref().is_some_and(|before| before.status == BookingStatus::Pending);
    match event {
        // A hold is the owner's own doing, but for one that the waitlist offers.
        BookingHeld::TYPE => told.booking.waitlist_entry_id.map(|_| Kind::BookingOffered),
        BookingConfirmed::TYPE => Some(Kind::BookingConfirmed),
        BookingReinstated::TYPE if is_pending => Some(Kind::BookingRequested),
        BookingReinstated::TYPE => Some(Kind::BookingConfirmed),
        BookingMoved::TYPE => Some(Kind::BookingMoved),
        BookingCancelled::TYPE => Some(Kind::BookingCancelled),
        BookingExpired::TYPE => was_pending.then_some(Kind::BookingExpired),
        BookingCompleted::TYPE => Some(Kind::BookingCompleted),
        BookingRequested::TYPE => Some(Kind::BookingRequested),
        BookingRejected::TYPE => Some(Kind::BookingRejected),
        BookingNoShow::TYPE => Some(Kind::BookingNoShow),
        BookingTransferred::TYPE => Some(Kind::BookingTransferred),
        BookingFlagged::TYPE => Some(Kind::BookingFlagged),
        BookingReminderDue::TYPE => Some(Kind::BookingReminder),
        _ => None,
    }
}

fn telling(event: &Envelope, told: &Told, kind: Kind, user: UserId) -> Telling {
    let booking = &told.booking;
    // What was before counts where time or place are others.
    let before = told.before.as_ref().filter(|_| kind == Kind::BookingMoved);
    let facts = Facts {
        reference: booking.reference.clone(),
        version: booking.version,
        now: appointment(booking),
        before: before.map(appointment),
        reason: told.reason.clone(),
        until: booking.expires_at,
    };
    Telling {
        organization: event.organizationid,
        event: event.id,
        correlation_id: event.correlationid.clone(),
        user,
        kind,
        about: About::Booking(booking.id, facts),
    }
}

fn appointment(booking: &Booking) -> Appointment {
    let places = booking.resources.iter().map(|resource| Place {
        name: resource.name.clone(),
        units: resource.units,
        time_zone: resource.time_zone.clone(),
        location_names: resource.location_names.clone(),
    });
    Appointment { slot: booking.slot, places: places.collect() }
}
