//! The limits of a route: who has used up what they may, here or together with other gateways, and what answers say of it.

pub mod store;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{Rate, RateLimit};
use crate::fault::Fault;
use crate::limiter::{PerClient, Shared, Taken};
use crate::own;
use store::Store;

/// The buckets in the store, and whose they are.
type Place = Option<(Arc<Store>, String)>;

/// A limit for each client.
pub struct Clients {
    local: PerClient,
    place: Place,
    headers: bool,
}

/// The limits of an endpoint.
pub struct Limits {
    everyone: Option<(Shared, Rate, Place)>,
    /// Those of each client.
    pub clients: Option<Clients>,
}

/// What a client has left, for the headers of its answer.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    rate: Rate,
    taken: Taken,
}

impl Clients {
    /// Of the clients' limit in the file; `scope` is the same in every gateway that shares it.
    pub fn new(limit: &RateLimit, scope: &str, store: Option<&Arc<Store>>) -> Option<Self> {
        let rate = limit.client?;
        let place = store.filter(|_| limit.shared).map(|store| (Arc::clone(store), scope.to_owned()));
        Some(Self { local: PerClient::new(rate), place, headers: limit.headers })
    }

    /// Takes a token of this client; tells what is left where that is wanted.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub async fn check(&self, client: &str) -> Result<Option<Left>, Fault> {
        let rate = self.local.rate;
        let shared = match &self.place {
            Some((store, scope)) => store.take(&format!("{scope}\n{client}"), rate).await,
            None => None,
        };
        let taken = match shared {
            Some(answer) => answer,
            None => self.local.take(client).await,
        };
        let taken = taken.map_err(|wait| own::too_many(wait, rate))?;
        Ok(self.headers.then_some(Left { rate, taken }))
    }
}

impl Clients {
    /// 429 for who shows nothing to be counted by.
    pub fn refuse(&self) -> Fault {
        let rate = self.local.rate;
        own::too_many(Duration::from_secs_f64(1.0 / rate.per_second), rate)
    }
}

impl Limits {
    /// Of an endpoint, named by its method and path.
    pub fn new(limit: Option<&RateLimit>, scope: &str, store: Option<&Arc<Store>>) -> Self {
        let everyone = limit.and_then(|limit| {
            let place = store.filter(|_| limit.shared).map(|store| (Arc::clone(store), scope.to_owned()));
            limit.all.map(|rate| (Shared::new(rate), rate, place))
        });
        Self { everyone, clients: limit.and_then(|limit| Clients::new(limit, scope, store)) }
    }

    /// Takes a token of all clients together.
    ///
    /// # Errors
    /// 503 with the time to wait.
    pub async fn check_everyone(&self) -> Result<(), Fault> {
        let Some((local, rate, place)) = &self.everyone else { return Ok(()) };
        let shared = match place {
            Some((store, scope)) => store.take(scope, *rate).await,
            None => None,
        };
        shared.unwrap_or_else(|| local.take()).map(drop).map_err(own::overloaded)
    }
}

/// How much in which window, in seconds (draft-ietf-httpapi-ratelimit-headers).
pub fn policy(rate: Rate) -> String {
    let window = (rate.capacity / rate.per_second).ceil().max(1.0);
    format!("\"client\";q={};w={window}", rate.capacity.floor())
}

/// Tells a client what it has left.
pub fn tell(left: Option<Left>, headers: &mut HeaderMap) {
    let Some(Left { rate, taken }) = left else { return };
    let seconds = taken.full_in.as_secs_f64().ceil();
    let texts = [
        (HeaderName::from_static("ratelimit-policy"), policy(rate)),
        (HeaderName::from_static("ratelimit"), format!("\"client\";r={};t={seconds}", taken.left)),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}
