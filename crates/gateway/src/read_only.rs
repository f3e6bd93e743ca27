//! Read-only mode: by the file, by who is asked for it, and by what backends answer to writes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderName, Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Gateway;
use crate::body::ResponseBody;
use crate::breaker::Breaker;
use crate::config::{Breaker as Rules, Endpoint, Output, ReadOnly, Source};
use crate::fault::Fault;
use crate::own;

/// With 503, a backend says by this header that it takes no writes at all for now.
pub const HEADER: HeaderName = HeaderName::from_static("x-read-only");
/// How long a backend that said so gets no writes; then one may try.
const PAUSE: Duration = Duration::from_secs(5);
/// Where no source is named, one that a new file names is noticed within this time.
const IDLE: Duration = Duration::from_secs(2);
/// Characters of a source's reason that are shown.
const REASON: usize = 200;

/// What the source has ordered: seconds for `Retry-After`, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    retry_after: u64,
    reason: Option<String>,
}

/// The order in force. It outlives a change of the file.
#[derive(Debug, Default)]
pub struct Switch(RwLock<Option<Order>>);

impl Switch {
    fn order(&self) -> Option<Order> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, order: Option<Order>) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if *current != order {
            tracing::info!(read_only = order.is_some(), "the source of read-only mode says so");
            *current = order;
        }
    }
}

/// Backends that were found to take no writes, by their hosts.
#[derive(Default)]
pub struct Observed(HashMap<String, Arc<Breaker>>);

impl Observed {
    /// What is known of the backend of an endpoint; reads need none, nor do endpoints that merge.
    pub fn of(&mut self, endpoint: &Endpoint) -> Option<Arc<Breaker>> {
        let backend = endpoint.backends.iter().find(|backend| !backend.shadow)?;
        if endpoint.method == Method::GET || endpoint.output != Output::NoOp {
            return None;
        }
        let hosts: Vec<&str> = backend.hosts.iter().map(url::Url::as_str).collect();
        let rules = Rules { max_errors: 0, timeout: PAUSE, interval: Duration::ZERO, count_5xx: false };
        Some(Arc::clone(self.0.entry(hosts.join(" ")).or_insert_with(|| Arc::new(Breaker::new(rules)))))
    }

    /// Whether a backend said not long ago that it takes no writes.
    fn any(&self) -> bool {
        self.0.values().any(|backend| backend.opened_within(2 * PAUSE, Instant::now()))
    }
}

/// Whether writes are refused, for health.
pub fn is_on(rules: &ReadOnly, switch: &Switch, observed: &Observed) -> bool {
    rules.always.is_some() || rules.source.is_some() && switch.order().is_some() || observed.any()
}

/// Refuses a write while only reading is possible.
///
/// # Errors
/// 503 with the time to wait.
pub fn check(rules: &ReadOnly, switch: &Switch, backend: Option<&Arc<Breaker>>) -> Result<(), Fault> {
    if let Some(retry_after) = rules.always {
        return Err(own::read_only(retry_after, None));
    }
    if let Some(order) = rules.source.as_ref().and_then(|_| switch.order()) {
        return Err(own::read_only(order.retry_after, order.reason.as_deref()));
    }
    if backend.is_some_and(|backend| !backend.allows(Instant::now())) {
        return Err(own::read_only(PAUSE.as_secs(), None));
    }
    Ok(())
}

/// Learns from the answer to a write. One that went through says that others will; `goes_on` are those that are let
/// through anyway, and may not have written anything.
pub fn learn(backend: &Breaker, goes_on: bool, response: &Response<ResponseBody>) {
    let refused =
        response.status() == StatusCode::SERVICE_UNAVAILABLE && response.headers().contains_key(HEADER);
    if refused {
        backend.note(false, Instant::now());
    } else if response.status().is_success() && !goes_on {
        backend.note(true, Instant::now());
    }
}

/// Asks the source of the file in force again and again, until the gateway stops. One that does not answer changes nothing.
pub async fn follow(gateway: Gateway, shutdown: CancellationToken) {
    loop {
        let inner = gateway.inner();
        let pause = match &inner.root.read_only.source {
            None => IDLE,
            Some(source) => {
                match inner.upstream.get(&source.url).await.and_then(|bytes| read(&bytes, source)) {
                    Ok(order) => gateway.switch.set(order),
                    Err(error) => {
                        tracing::debug!(error, source = source.url, "read-only mode stays as it is")
                    }
                }
                source.every
            }
        };
        drop(inner);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// `{"read_only": true, "retry_after": 60, "reason": "…"}`.
fn read(bytes: &[u8], source: &Source) -> Result<Option<Order>, String> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match answer.get("read_only").and_then(Value::as_bool) {
        None => Err("the answer has no `read_only`".into()),
        Some(false) => Ok(None),
        Some(true) => Ok(Some(Order {
            retry_after: answer.get("retry_after").and_then(Value::as_u64).unwrap_or(source.retry_after),
            reason: answer
                .get("reason")
                .and_then(Value::as_str)
                .map(|reason| reason.chars().take(REASON).collect()),
        })),
    }
}
