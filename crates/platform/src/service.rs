//! What the host hands to a service, and the routes that every service has beside its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use kernel::Clock;
use tokio_util::sync::CancellationToken;

use crate::auth::Verifier;
use crate::cache::Cache;
use crate::db::Db;
use crate::events::Feed;
use crate::health::{self, Dependencies};
use crate::http::stack::stack;
use crate::idempotency::prune;
use crate::internal::InternalToken;
use crate::metrics::Metrics;
use crate::sealing::Keyring;

/// All that a service needs of its surroundings.
#[derive(Clone)]
pub struct Context {
    /// Its database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is calling.
    pub verifier: Verifier,
    /// The token that services show each other.
    pub internal: InternalToken,
    /// A cache, shared with the other replicas when there is Redis.
    pub cache: Cache,
    /// Seals and opens secrets that stand in the database; without a key where none was handed in.
    pub keyring: Keyring,
    /// For calls to other services.
    pub client: reqwest::Client,
    /// Cancelled when the process stops.
    pub shutdown: CancellationToken,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context of {}", self.db.schema())
    }
}

impl FromRef<Context> for Verifier {
    fn from_ref(context: &Context) -> Self {
        context.verifier.clone()
    }
}

impl FromRef<Context> for InternalToken {
    fn from_ref(context: &Context) -> Self {
        context.internal.clone()
    }
}

impl Context {
    /// The service's own routes with feed, health and metrics, inside the layers that all services have.
    pub fn complete(&self, api: Router) -> Router {
        let name = self.db.schema();
        let metrics = Metrics::new(name);
        let feed = Feed::start(self.db.clone(), self.internal.clone(), self.shutdown.clone());
        self.verifier.follow_revocations(self.shutdown.clone());
        tokio::spawn(prune::run(self.db.clone(), self.clock.clone(), self.shutdown.clone()));
        let dependencies =
            Dependencies { db: self.db.clone(), cache: Some(self.cache.clone()), metrics: metrics.clone() };
        stack(
            api.merge(feed.router()).merge(health::router(dependencies)),
            name,
            metrics.http,
            self.db.traces().cloned(),
        )
    }
}
