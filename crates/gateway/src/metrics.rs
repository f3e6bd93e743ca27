//! What the gateway counts, by route and never by raw path: that would let a client mint metrics.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    http_request_method: String,
    http_route: String,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    http_request_method: String,
    http_route: String,
}

/// The counts.
pub struct Metrics {
    deprecated: Family<Route, Counter>,
    registry: Registry,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let mut registry = Registry::default();
        registry.register(
            "http_server_duration_seconds",
            "Requests answered by the gateway",
            durations.clone(),
        );
        let deprecated: Family<Route, Counter> = Family::default();
        registry.register(
            "http_server_deprecated_requests",
            "Requests to what should no longer be used",
            deprecated.clone(),
        );
        Self { deprecated, registry, durations }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn observe(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let labels = Labels {
            http_request_method: known(method),
            http_route: route.to_owned(),
            http_response_status_code: status.as_u16(),
        };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts an answer that told its client to move on.
    pub fn deprecated(&self, method: &Method, route: &str) {
        let labels = Route { http_request_method: known(method), http_route: route.to_owned() };
        self.deprecated.get_or_create(&labels).inc();
    }

    /// All of it in the text format of Prometheus.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut out, &self.registry);
        out
    }
}

/// A method of the client's own invention must not become a label.
fn known(method: &Method) -> String {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER").to_owned()
}
