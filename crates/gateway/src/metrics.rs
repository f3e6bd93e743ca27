//! What the gateway counts, by route and never by raw path: that would let a client mint metrics.
//!
//! The names of the durations are the original's as its Prometheus exporter writes them, so that its dashboard works.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::hosts::Hosts;
use crate::proxy::Answerer;

/// Seconds: the original's bounds, and finer ones below.
const SECONDS: [f64; 23] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.35, 0.5, 0.75,
    1.0, 1.5, 2.0, 3.5, 5.0, 10.0,
];
/// Bytes.
const BYTES: [f64; 8] = [256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 16_777_216.0];

/// A word of the file that stands in many labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl EncodeLabelValue for Label {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&&*self.0, encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    http_request_method: &'static str,
    http_route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    code: &'static str,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Proxied {
    http_request_method: &'static str,
    http_route: String,
    error: &'static str,
    complete: &'static str,
    canceled: &'static str,
}

/// Which backend, in the words of the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Asked {
    /// The method that it is asked with.
    pub http_request_method: &'static str,
    /// The path of its `url_pattern`.
    pub http_route: Label,
    /// Its hosts.
    pub server_address: Label,
    /// The endpoint's path.
    pub krakend_endpoint: Label,
    /// The endpoint's method.
    pub krakend_endpoint_method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exchange {
    #[prometheus(flatten)]
    asked: Asked,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    #[prometheus(flatten)]
    asked: Asked,
    error: &'static str,
    complete: &'static str,
    canceled: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fate {
    fate: &'static str,
}

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counts.
pub struct Metrics {
    deprecated: Family<Route, Counter>,
    /// Those of backends.
    pub backends: BackendCounts,
    healthy: Family<HostLabels, Gauge>,
    ejections: Family<HostLabels, Counter<u64, AtomicU64>>,
    registry: Registry,
    server: Times<Answered>,
    sizes: Times<Answered>,
    proxy: Times<Proxied>,
    backend: Times<Stage>,
    client: Times<Exchange>,
    refused: Family<Refused, Counter>,
    breakers: Family<Asked, Gauge>,
    spans: Family<Fate, Gauge>,
    connections: Gauge,
    running: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        fn seconds() -> Histogram {
            Histogram::new(SECONDS)
        }
        fn bytes() -> Histogram {
            Histogram::new(BYTES)
        }
        let metrics = Self {
            registry: Registry::default(),
            server: Family::new_with_constructor(seconds),
            sizes: Family::new_with_constructor(bytes),
            proxy: Family::new_with_constructor(seconds),
            backend: Family::new_with_constructor(seconds),
            client: Family::new_with_constructor(seconds),
            refused: Family::default(),
            deprecated: Family::default(),
            backends: BackendCounts::default(),
            healthy: Family::default(),
            ejections: Family::default(),
            breakers: Family::default(),
            spans: Family::default(),
            connections: Gauge::default(),
            running: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let all = &mut self.registry;
        all.register("http_server_duration", "Seconds until an answer had left", self.server.clone());
        all.register("http_server_response_size", "Bytes of answers", self.sizes.clone());
        all.register("krakend_proxy_duration", "Seconds from endpoint to answer", self.proxy.clone());
        all.register("krakend_backend_duration", "Seconds of a backend's part", self.backend.clone());
        all.register("http_client_duration", "Seconds until a backend's head", self.client.clone());
        all.register("gateway_refused", "Errors of the gateway's own, by code", self.refused.clone());
        all.register("gateway_breaker_open", "1 while a backend is left alone", self.breakers.clone());
        all.register("gateway_spans", "Spans since the start, by what became of them", self.spans.clone());
        all.register("gateway_connections", "Connections of clients", self.connections.clone());
        all.register("gateway_requests_in_flight", "Requests not answered yet", self.running.clone());
        all.register(
            "http_server_deprecated_requests",
            "Requests to what is deprecated",
            self.deprecated.clone(),
        );
        all.register("gateway_backend_retries", "Calls repeated", self.backends.retries.clone());
        all.register(
            "gateway_backend_refused",
            "Calls too many for their host",
            self.backends.refused.clone(),
        );
        all.register(
            "gateway_cache_requests",
            "Requests by what the cache had",
            self.backends.cached.clone(),
        );
        all.register("gateway_backend_host_healthy", "1 for hosts that are asked", self.healthy.clone());
        all.register("gateway_backend_host_ejections", "Times a host was left out", self.ejections.clone());
        self
    }

    /// Counts an answer that has left.
    pub fn answered(
        &self,
        method: &Method,
        answerer: &Answerer,
        status: StatusCode,
        took: Duration,
        bytes: u64,
    ) {
        let find = || {
            let labels = Answered {
                http_request_method: known(method),
                http_route: answerer.name().to_owned(),
                http_response_status_code: status.as_u16(),
            };
            (self.server.get_or_create_owned(&labels), self.sizes.get_or_create_owned(&labels))
        };
        let (times, sizes) = match answerer {
            Answerer::Endpoint(route) => route.answers.get(status, find),
            Answerer::Other(_) => find(),
        };
        times.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "sizes of answers fit")]
        sizes.observe(bytes as f64);
    }

    /// Counts an error that the gateway made itself.
    pub fn refused(&self, code: &'static str, route: &str) {
        self.refused.get_or_create(&Refused { code, http_route: route.to_owned() }).inc();
    }

    /// How long an endpoint's backends took, by what they came to.
    pub fn proxied(&self, method: &Method, route: &str, failed: bool, complete: bool) -> Histogram {
        self.proxy.get_or_create_owned(&Proxied {
            http_request_method: known(method),
            http_route: route.to_owned(),
            error: word(failed),
            complete: word(complete),
            canceled: word(false),
        })
    }

    /// How long a backend's part took; complete is an answer that can be used.
    pub fn staged(&self, asked: &Asked, failed: bool, complete: bool) -> Histogram {
        let (error, complete, canceled) = (word(failed), word(complete), word(false));
        self.backend.get_or_create_owned(&Stage { asked: asked.clone(), error, complete, canceled })
    }

    /// How long exchanges with a backend took; no status when there was no answer.
    pub fn exchanged(&self, asked: &Asked, status: Option<StatusCode>) -> Histogram {
        let http_response_status_code = status.map_or(0, |status| status.as_u16());
        self.client.get_or_create_owned(&Exchange { asked: asked.clone(), http_response_status_code })
    }

    /// Notes whether a breaker is open.
    pub fn breaker(&self, asked: &Asked, open: bool) {
        self.breakers.get_or_create(asked).set(i64::from(open));
    }

    /// Notes what became of the spans.
    pub fn spans(&self, counts: otlp::Counts) {
        for (fate, count) in [("sent", counts.sent), ("dropped", counts.dropped), ("failed", counts.failed)] {
            self.spans.get_or_create(&Fate { fate }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection until the guard is dropped.
    pub fn connection(&self) -> Present {
        Present::new(&self.connections)
    }

    /// Counts a request until the guard is dropped.
    pub fn request(&self) -> Present {
        Present::new(&self.running)
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

/// Something that is there and is counted.
pub struct Present(Gauge);

impl Present {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// A method as a label; one of the client's own invention must not become one.
pub fn known(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("OTHER")
}
