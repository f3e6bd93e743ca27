//! What the service hears: the catalogue's changes, of which it keeps its own copy.

pub mod resource_told;

use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle};
use platform::http::Problem;

use crate::App;

/// Hears the feed of the resource service.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue;

impl Handle for Catalogue {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        resource_told::resource_told(tx, event).await
    }
}

/// The reader of the resource service's feed.
#[must_use]
pub fn consumer(app: &App) -> Consumer<Catalogue> {
    Consumer {
        name: "resources",
        url: app.config.resources_url.clone(),
        token: app.context.internal.0.clone(),
        client: app.context.client.clone(),
        db: app.context.db.clone(),
        handler: Catalogue,
    }
}
