//! What changes while a backend is asked: its turn, its breaker, its limit, what is kept of its answers.

use http::StatusCode;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

use super::observed;
use crate::breaker::{Breaker, Ticket};
use crate::cache::{Cache, Caches};
use crate::config::{Backend, Endpoint};
use crate::failure::{Failure, Kind};
use crate::hosts::balance::Balance;
use crate::limiter::Shared;
use crate::memo::Memo;
use crate::metrics::{Asked, BackendCounts};

/// A backend that is ready to be asked.
pub struct Target {
    /// Whose turn it is.
    pub balance: Balance,
    /// What is kept of its answers.
    pub cache: Option<Cache>,
    /// Whether what a kept answer becomes is kept, too: the cache is this backend's own.
    pub renders: bool,
    /// Whether a call that found no host is repeated.
    pub retry: bool,
    /// What is counted.
    pub counts: BackendCounts,
    /// How it is named in metrics.
    pub asked: Asked,
    /// How long its part took, by whether it failed and was complete.
    pub parts: Memo<(bool, bool), Histogram>,
    /// How long exchanges with it took, by the status.
    pub exchanges: Memo<Option<StatusCode>, Histogram>,
    breaker: Option<Breaker>,
    limit: Option<Shared>,
}

impl Target {
    /// Makes a backend ready. `retry` holds where it says nothing.
    pub fn new(
        endpoint: &Endpoint,
        backend: &Backend,
        balance: Balance,
        caches: &Caches,
        retry: Option<bool>,
        counts: &BackendCounts,
    ) -> Self {
        // A backend that changes its requests asks for other things at the same address than others do.
        let rules = backend.cache.map(|mut rules| {
            rules.shared &= backend.modifier.request.is_empty();
            rules
        });
        Self {
            balance,
            cache: rules.map(|rules| caches.of(rules, counts)),
            renders: rules.is_some_and(|rules| !rules.shared),
            retry: backend.rules.retry.or(retry).unwrap_or(false),
            counts: counts.clone(),
            asked: observed::labels(endpoint, backend),
            parts: Memo::default(),
            exchanges: Memo::default(),
            breaker: backend.breaker.map(Breaker::new),
            limit: backend.limit.map(Shared::new),
        }
    }

    /// Whether its breaker is open, where it has one.
    pub fn is_open(&self) -> Option<bool> {
        self.breaker.as_ref().map(Breaker::is_open)
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// When the backend is left alone, or was asked too often.
    pub fn admit(&self) -> Result<Option<Ticket<'_>>, Failure> {
        let open = || Failure::new(Kind::Open, "circuit breaker is open");
        let ticket = self
            .breaker
            .as_ref()
            .map(|breaker| breaker.ticket(Instant::now()).ok_or_else(open))
            .transpose()?;
        if self.limit.as_ref().is_some_and(|limit| limit.take().is_err()) {
            return Err(Failure::new(Kind::Limited, "ERROR: rate limit exceeded"));
        }
        Ok(ticket)
    }
}
