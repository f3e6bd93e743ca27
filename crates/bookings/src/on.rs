//! What the service hears: changes of the catalogue, its rules and the people, of which it keeps its own copy.

pub mod account_told;
pub mod resource_told;
pub mod rules_told;

use contracts::rules::RulesChanged;
use kernel::Event as _;
use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle};
use platform::http::Problem;

use crate::App;

/// Hears the feed of the resource service.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue;

impl Handle for Catalogue {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        match event.kind.as_str() {
            RulesChanged::TYPE => rules_told::rules_told(tx, event).await,
            _ => resource_told::resource_told(tx, event).await,
        }
    }
}

/// Hears the feed of the user service.
#[derive(Debug, Clone, Copy)]
pub struct People;

impl Handle for People {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        account_told::account_told(tx, event).await
    }
}

/// The reader of the resource service's feed.
#[must_use]
pub fn catalogue(app: &App) -> Consumer<Catalogue> {
    consumer(app, "resources", &app.config.resources_url, Catalogue)
}

/// The reader of the user service's feed.
#[must_use]
pub fn people(app: &App) -> Consumer<People> {
    consumer(app, "users", &app.config.users_url, People)
}

fn consumer<H>(app: &App, name: &'static str, url: &str, handler: H) -> Consumer<H> {
    Consumer {
        name,
        url: url.to_owned(),
        token: app.context.internal.0.clone(),
        client: app.context.client.clone(),
        db: app.context.db.clone(),
        handler,
    }
}
