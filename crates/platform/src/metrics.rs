//! Prometheus metrics of a service: requests by route, the database pool, the feeds it reads, the spans it sends.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::{Method, StatusCode};
use kernel::{Clock as _, SystemClock};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
use prometheus_client::registry::Registry;

use crate::db::Db;
use crate::events::Progress;

/// Upper bounds of the buckets of request durations, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

/// Counters and times of a service's requests.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
}

impl HttpMetrics {
    /// Counts one answer.
    pub fn observe(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let (method, route) = (known(method), route.to_owned());
        let request = Request { method, route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&request).inc();
        self.durations.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }
}

/// A client may send any method; only those we know become labels.
pub fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// All metrics of a service.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    pool: Family<PoolState, Gauge>,
    feeds: Feeds,
    spans: Family<SpanState, Gauge>,
    /// The part that the HTTP layers feed.
    pub http: HttpMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolState {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanState {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FeedName {
    feed: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Feeds {
    lag: Family<FeedName, Gauge<f64, AtomicU64>>,
    failures: Family<FeedName, Gauge>,
    handled: Family<FeedName, Gauge>,
}

impl Feeds {
    fn registered(registry: &mut Registry) -> Self {
        let feeds = Self::default();
        registry.register("feed_lag_seconds", "Age of the oldest event not handled", feeds.lag.clone());
        registry.register(
            "feed_failures",
            "Failed tries at the same event, one after the other: it stands in the way",
            feeds.failures.clone(),
        );
        registry.register("feed_events", "Events handled since the start", feeds.handled.clone());
        feeds
    }

    fn read(&self, progress: &Progress) {
        for (feed, reader) in progress.readers() {
            let name = FeedName { feed };
            let age = reader.waiting_since.map(|since| SystemClock.now().duration_since(since));
            self.lag.get_or_create(&name).set(age.map_or(0.0, |age| age.as_secs_f64().max(0.0)));
            self.failures.get_or_create(&name).set(reader.failures.into());
            self.handled.get_or_create(&name).set(i64::try_from(reader.handled).unwrap_or(i64::MAX));
        }
    }
}

impl Metrics {
    /// The metrics of a service, all at zero.
    #[must_use]
    pub fn new(service: &'static str) -> Self {
        let mut registry =
            Registry::with_prefix_and_labels("reservas", std::iter::once(("service".into(), service.into())));
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register("http_request_duration_seconds", "Time to answer a request", durations.clone());
        let pool = Family::default();
        registry.register("db_connections", "Connections of the database pool by state", pool.clone());
        let feeds = Feeds::registered(&mut registry);
        let spans = Family::default();
        registry.register("spans", "Spans since the start, by what became of them", spans.clone());
        Self { registry: Arc::new(registry), pool, feeds, spans, http: HttpMetrics { requests, durations } }
    }

    /// The text that Prometheus reads (OpenMetrics).
    #[must_use]
    pub fn text(&self, db: &Db) -> String {
        let pool = db.pool();
        let (all, idle) = (i64::from(pool.size()), i64::try_from(pool.num_idle()).unwrap_or(0));
        self.pool.get_or_create(&PoolState { state: "idle" }).set(idle);
        self.pool.get_or_create(&PoolState { state: "busy" }).set((all - idle).max(0));
        self.feeds.read(db.progress());
        if let Some(counts) = db.traces().map(otlp::Tracing::counts) {
            let all = [("sent", counts.sent), ("dropped", counts.dropped), ("failed", counts.failed)];
            for (state, count) in all {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.spans.get_or_create(&SpanState { state }).set(count);
            }
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
