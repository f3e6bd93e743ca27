//! What this service does when it hears an event: a file for each.

pub mod account;
pub mod booking;
pub mod letter_requested;
pub mod user_removed;

use contracts::users::{
    LetterRequested, PasswordResetRequested, SecondFactorChanged, UserChanged, UserLocked, UserRemoved,
};
use kernel::Event;
use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle};
use platform::http::Problem;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::Error;
use crate::store::webhook_queue;

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
            LetterRequested::TYPE => letter_requested::letter_requested(app, tx, event, &read(event)?).await,
            UserRemoved::TYPE => user_removed::user_removed(tx, event, &read(event)?).await,
            PasswordResetRequested::TYPE => {
                account::password_reset_requested(app, tx, event, &read(event)?).await
            }
            UserChanged::TYPE => account::user_changed(app, tx, event, &read(event)?).await,
            UserLocked::TYPE => account::user_locked(app, tx, event, &read(event)?).await,
            SecondFactorChanged::TYPE => account::second_factor_changed(app, tx, event, &read(event)?).await,
            _ => booking::booking(app, tx, event).await,
        }
    }

    fn committed(&self) {
        self.app.due.send_replace(());
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

fn read<E: DeserializeOwned>(event: &Envelope) -> Result<E, Error> {
    E::deserialize(&event.data).map_err(|cause| Error::UnreadableEvent {
        id: event.id,
        kind: event.kind.clone(),
        cause,
    })
}
