//! Prometheus metrics of a service: requests by route, and the database pool.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
use prometheus_client::registry::Registry;

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
fn known(method: &Method) -> &'static str {
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
    /// The part that the HTTP layers feed.
    pub http: HttpMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolState {
    state: &'static str,
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
        Self { registry: Arc::new(registry), pool, http: HttpMetrics { requests, durations } }
    }

    /// The text that Prometheus reads (OpenMetrics).
    #[must_use]
    pub fn text(&self, pool: &sqlx::PgPool) -> String {
        let (all, idle) = (i64::from(pool.size()), i64::try_from(pool.num_idle()).unwrap_or(0));
        self.pool.get_or_create(&PoolState { state: "idle" }).set(idle);
        self.pool.get_or_create(&PoolState { state: "busy" }).set((all - idle).max(0));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
