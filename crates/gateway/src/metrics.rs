//! What the gateway counts, by route and never by raw path: that would let a client mint metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::hosts::Hosts;

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// What is counted on the way to backends.
#[derive(Clone, Debug, Default)]
pub struct BackendCounts {
    retries: Counter,
    refused: Counter,
    cached: Family<ResultLabels, Counter>,
}

impl BackendCounts {
    /// A call was repeated.
    pub fn retry(&self) {
        self.retries.inc();
    }

    /// A call was refused because its host has too many.
    pub fn refuse(&self) {
        self.refused.inc();
    }

    /// A cache was asked, with this result: hit, miss, revalidated or pass.
    pub fn cache(&self, result: &'static str) {
        self.cached.get_or_create(&ResultLabels { result }).inc();
    }
}

/// The counts.
pub struct Metrics {
    deprecated: Family<Route, Counter>,
    /// Those of backends.
    pub backends: BackendCounts,
    healthy: Family<HostLabels, Gauge>,
    ejections: Family<HostLabels, Counter<u64, AtomicU64>>,
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
        let backends = BackendCounts::default();
        registry.register("gateway_backend_retries", "Calls repeated", backends.retries.clone());
        registry.register(
            "gateway_backend_refused",
            "Calls refused because their host has too many in flight",
            backends.refused.clone(),
        );
        registry.register(
            "gateway_cache_requests",
            "Requests by what the cache had",
            backends.cached.clone(),
        );
        let (healthy, ejections) = (Family::default(), Family::default());
        registry.register(
            "gateway_backend_host_healthy",
            "1 for hosts that are asked, else 0",
            healthy.clone(),
        );
        registry.register("gateway_backend_host_ejections", "Times a host was left out", ejections.clone());
        Self { deprecated, registry, durations, backends, healthy, ejections }
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
    pub fn text(&self, hosts: &Hosts) -> String {
        // Shown are the hosts that are named now, so that a changing DNS does not leave lines behind.
        self.healthy.clear();
        self.ejections.clear();
        for host in hosts.all() {
            let labels = HostLabels { host: host.name.clone() };
            self.healthy.get_or_create(&labels).set(host.is_well().into());
            self.ejections.get_or_create(&labels).inner().store(host.ejections(), Ordering::Relaxed);
        }
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
