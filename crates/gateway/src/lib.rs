//! An API gateway that reads a subset of the KrakenD CE configuration format (version 3, as of 2.13).
//!
//! [`Gateway::load`] reads a route file, [`Gateway::serve`] answers. What the file means is in `docs/gateway.md`.

mod access;
mod account;
mod auth;
mod background;
mod body;
mod breaker;
mod cache;
mod call;
mod clock;
mod compress;
mod config;
mod connection;
mod cors;
mod discovery;
mod encode;
mod escape;
mod failure;
mod fault;
mod filter;
mod flatmap;
mod framing;
mod gunzip;
mod headers;
mod held;
mod hosts;
mod households;
mod intake;
mod limiter;
mod limits;
mod load;
mod local;
mod lookup;
mod memo;
mod metrics;
mod modify;
mod own;
mod pace;
mod phase;
mod places;
mod proxy;
mod read_only;
mod routes;
mod scrape;
mod server;
mod shadow;
mod spans;
mod stack;
mod tls;
mod tunnel;
mod upstream;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

pub use body::{BoxError, ResponseBody, boxed};
pub use config::json::Position;
pub use config::parse_network as network;
pub use config::{ConfigError, ConfigErrors};
pub use local::LocalService;

use access::Arrival;
use account::{Account, Leaving};
use background::Background;
use call::Call;
use config::Root;
use headers::Identity;
use local::Locals;
use metrics::Metrics;
use proxy::{Answerer, Route};
use routes::Routes;
use spans::Spans;
use upstream::Upstream;

/// What the route file does not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether `/__debug/` answers, whatever the file says.
    pub debug: bool,
    /// Whether namespaces and keys that are not supported are warnings rather than errors.
    pub lenient: bool,
    /// Service names of the file and where they are, such as `users` and `127.0.0.1:18081`.
    pub resolve: BTreeMap<String, String>,
    /// The version to name in headers, such as `2.13.8`; absent, the gateway names no version.
    pub compat: Option<String>,
    /// Where limits that are shared with other gateways are kept (`redis://…`); absent, each gateway has its own.
    pub redis_url: Option<String>,
    /// The DNS server that `sd: "dns"` asks; absent, those of the system.
    pub dns: Option<SocketAddr>,
    /// Where spans are sent when the file says nothing of it; absent, nowhere.
    pub otlp: Option<otlp::Settings>,
    /// Networks of proxies in front of the gateway, which tell clients' addresses, besides those of the file.
    pub trusted_proxies: Vec<(IpAddr, u8)>,
}

/// A route file that was read, checked and made ready. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// What is in force; a request keeps what was in force when it came.
    current: Arc<RwLock<Arc<Inner>>>,
    options: Arc<Options>,
    locals: Locals,
    metrics: Arc<Metrics>,
    switch: Arc<read_only::Switch>,
    warnings: Arc<[String]>,
    port: u16,
    /// What is known of hosts whatever file is in force.
    known: Arc<Known>,
    background: Arc<Background>,
}

/// What outlives a route file.
#[derive(Default)]
struct Known {
    hosts: Arc<hosts::Hosts>,
    answers: Arc<discovery::Answers>,
    calls: Arc<households::Households>,
}

struct Inner {
    root: Root,
    routes: Routes,
    endpoints: Vec<Arc<Route>>,
    upstream: Upstream,
    identity: Identity,
    early: Option<limits::Clients>,
    observed: read_only::Observed,
    keys: load::Stores,
    tls: Option<tls::Live>,
    shadows: shadow::Shadows,
    duties: background::Duties,
    spans: Option<Spans>,
}

impl Gateway {
    /// What runs but is probably not meant, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The port that the file names, 8080 when it names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often requests were answered and how long it took, in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        let inner = self.inner();
        for (asked, open) in inner.endpoints.iter().flat_map(|route| route.breakers()) {
            self.metrics.breaker(asked, open);
        }
        if let Some(spans) = &inner.spans {
            self.metrics.spans(spans.tracing().counts());
        }
        self.metrics.text(&self.known.hosts)
    }

    /// Lets `service` answer these paths and everything below them, before any route of the file.
    #[must_use]
    pub fn with_local<S, B>(mut self, prefixes: &[&str], service: S) -> Self
    where
        S: tower::Service<
                Request<http_body_util::Full<bytes::Bytes>>,
                Response = Response<B>,
                Error = std::convert::Infallible,
            >,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.locals.add(prefixes, service);
        self
    }

    fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stack, from the client inwards. Each layer stands where it does for the reason given.
    async fn answer(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Leaving> {
        let inner = self.inner();
        let root = &inner.root;
        let (started, running) = (Instant::now(), self.metrics.request());
        let (parts, body) = request.into_parts();
        let mut call = Call::new(parts, &arrival.peer, &root.router);
        if root.answer_compression.is_some() {
            compress::restore(&mut call.headers);
        }

        // Correlation first: every answer carries the id, also those that refuse the request.
        let correlated = if root.log { access::correlate(&mut call) } else { Ok(()) };
        // The span next, so that all that happens is in it, and backends are told where theirs hang.
        if let Some(spans) = &inner.spans {
            spans.receive(&mut call);
        }

        // Cross-origin before everything that refuses, or a browser could not read why it was refused.
        let preflight =
            root.cors.as_ref().and_then(|cors| cors::preflight(cors, &call.method, &call.headers));
        let mut answerer = Answerer::Other("none");
        let mut response = match preflight {
            Some(response) => response,
            None => {
                let answer = match correlated.and_then(|()| access::admit(&call, &arrival, root)) {
                    Ok(()) => inner.route(self, &call, body, &mut answerer).await,
                    Err(fault) => Err(fault),
                };
                // Errors of our own get their form in one place, whichever layer made them.
                let mut response = answer.unwrap_or_else(|fault| {
                    self.metrics.refused(fault.code, answerer.name());
                    inner.show(fault, &call)
                });
                if let Some(cors) = &root.cors {
                    cors::mark(cors, &call.method, &call.headers, response.headers_mut());
                }
                response
            }
        };

        // Headers and the account last: they are about the answer as it leaves.
        access::dress(root, &call, &mut response);
        if let Some(rules) = root.answer_compression {
            compress::answer(rules, &call.method, &call.headers, &mut response);
        }
        if response.headers().contains_key("deprecation") {
            self.metrics.deprecated(&call.method, answerer.name());
        }
        let logged = root.log && !root.router.logger_skip_paths.contains(&call.path);
        Account::new(&self.metrics, call, answerer, response.status(), started, running)
            .logged(logged)
            .go_with(response)
    }

    /// Answers on `listener` until `shutdown`, then lets what runs finish for `max_shutdown_wait_time`.
    ///
    /// # Errors
    /// When the listener has no address, or a port for the metrics cannot be had.
    pub async fn serve(
        self,
        listener: tokio::net::TcpListener,
        shutdown: tokio_util::sync::CancellationToken,
    ) -> std::io::Result<()> {
        let address: SocketAddr = listener.local_addr()?;
        tracing::info!(%address, endpoints = self.inner().endpoints.len(), "the gateway listens");
        scrape::start(&self, &shutdown).await?;
        tokio::spawn(read_only::follow(self.clone(), shutdown.clone()));
        // What runs in the background ends with this, also when it is dropped.
        let _ending = self.background.begin(&self.inner());
        server::run(self.clone(), listener, shutdown).await;
        if let Some(spans) = &self.inner().spans {
            spans.tracing().shutdown().await;
        }
        Ok(())
    }
}
