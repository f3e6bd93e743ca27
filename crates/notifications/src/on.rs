//! What this service does when it hears an event: a file for each.

pub mod account;
pub mod booking_cancelled;
pub mod booking_confirmed;
pub mod booking_moved;
pub mod letter_requested;
pub mod user_removed;

use contracts::bookings::{Booking, BookingCancelled, BookingConfirmed, BookingMoved};
use contracts::users::{
    LetterRequested, PasswordResetRequested, SecondFactorChanged, UserChanged, UserLocked, UserRemoved,
};
use kernel::Event;
use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle};
use platform::http::Problem;

use crate::App;
use crate::error::Error;
use crate::message::{Appointment, Facts, Kind, Place};
use crate::store::{About, Telling, webhook_queue};

/// Hears the feeds of bookings and users.
#[derive(Debug, Clone)]
pub struct Listener {
    /// What it works with.
    pub app: App,
}

impl Handle for Listener {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        let app = &self.app;
        webhook_queue::queue(app, tx, event).await?;
        match event.kind.as_str() {
            BookingConfirmed::TYPE => {
                booking_confirmed::booking_confirmed(app, tx, event, &read(event)?).await
            }
            BookingMoved::TYPE => booking_moved::booking_moved(app, tx, event, &read(event)?).await,
            BookingCancelled::TYPE => {
                booking_cancelled::booking_cancelled(app, tx, event, &read(event)?).await
            }
            LetterRequested::TYPE => letter_requested::letter_requested(app, tx, event, &read(event)?).await,
            UserRemoved::TYPE => user_removed::user_removed(tx, event, &read(event)?).await,
            PasswordResetRequested::TYPE => {
                account::password_reset_requested(app, tx, event, &read(event)?).await
            }
            UserChanged::TYPE => account::user_changed(app, tx, event, &read(event)?).await,
            UserLocked::TYPE => account::user_locked(app, tx, event, &read(event)?).await,
            SecondFactorChanged::TYPE => account::second_factor_changed(app, tx, event, &read(event)?).await,
            _ => Ok(()),
        }
    }
}

/// The readers of the feeds that this service hears.
#[must_use]
pub fn consumers(app: &App) -> [Consumer<Listener>; 2] {
    [("bookings", &app.config.bookings_url), ("users", &app.config.users_url)].map(|(name, url)| Consumer {
        name,
        url: url.clone(),
        token: app.context.internal.0.clone(),
        client: app.context.client.clone(),
        db: app.context.db.clone(),
        handler: Listener { app: app.clone() },
    })
}

fn read<E: Event>(event: &Envelope) -> Result<E, Error> {
    E::deserialize(&event.data).map_err(|cause| Error::UnreadableEvent {
        id: event.id,
        kind: event.kind.clone(),
        cause,
    })
}

/// Something to tell the owner of a booking.
fn to_owner(
    event: &Envelope,
    kind: Kind,
    booking: &Booking,
    before: Option<&Booking>,
    reason: Option<&str>,
) -> Telling {
    let facts = Facts {
        reference: booking.reference.clone(),
        version: booking.version,
        now: appointment(booking),
        before: before.map(appointment),
        reason: reason.map(str::to_owned),
    };
    Telling {
        organization: event.organizationid,
        event: event.id,
        correlation_id: event.correlationid.clone(),
        user: booking.user_id,
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
