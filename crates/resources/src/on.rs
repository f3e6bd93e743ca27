//! What the service hears: who is in which group, of which it keeps its own copy.

use contracts::users::{UserChanged, UserCreated, UserRemoved};
use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle};
use platform::http::Problem;

use crate::App;
use crate::store::accounts;

/// Hears the feed of the user service.
#[derive(Debug, Clone, Copy)]
pub struct People;

impl Handle for People {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        let told = told(event).map_err(|error| Problem::internal(&error))?;
        match told {
            Some(account) => accounts::keep(tx, event.organizationid, &account).await,
            None => Ok(()),
        }
    }
}

/// What an event tells of somebody's groups.
fn told(event: &Envelope) -> Result<Option<accounts::Account>, serde_json::Error> {
    let created = event.read::<UserCreated>()?.map(|event| (event.user_id, event.account));
    let changed = event.read::<UserChanged>()?.map(|event| (event.user_id, event.after));
    let there = created.or(changed).map(|(id, account)| accounts::Account {
        id,
        version: account.version,
        groups: account.groups,
    });
    let removed = event.read::<UserRemoved>()?.map(|event| accounts::Account::gone(event.user_id));
    Ok(there.or(removed))
}

/// The reader of the user service's feed.
#[must_use]
pub fn people(app: &App) -> Consumer<People> {
    Consumer {
        name: "users",
        url: app.config.users_url.clone(),
        token: app.context.internal.0.clone(),
        client: app.context.client.clone(),
        db: app.context.db.clone(),
        handler: People,
    }
}
