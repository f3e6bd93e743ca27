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
mod hosts;
mod limiter;
mod limits;
mod load;
mod local;
mod lookup;
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
mod tls;
mod tunnel;
mod upstream;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use http::{Method, Request, Response};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

pub use body::{BoxError, ResponseBody, boxed};
pub use config::json::Position;
pub use config::{ConfigError, ConfigErrors};
pub use local::LocalService;

use access::Arrival;
use account::{Account, Facts};
use auth::Claims;
use background::Background;
use body::Deadlined;
use call::Call;
use config::{Output, RateKey, Root};
use fault::Fault;
use headers::Identity;
use local::Locals;
use metrics::Metrics;
use pace::{Pace, Paced};
use proxy::{Ask, Inputs, Route};
use routes::{Found, Routes};
use spans::Spans;
use upstream::{Payload, Upstream};

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
}

struct Inner {
    root: Root,
    routes: Routes,
    endpoints: Vec<Arc<Route>>,
    upstream: Upstream,
    identity: Identity,
    early: Option<limits::Clients>,
    observed: read_only::Observed,
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
    async fn answer(&self, request: Request<Incoming>, arrival: Arrival) -> Response<ResponseBody> {
        let inner = self.inner();
        let root = &inner.root;
        let (started, running) = (Instant::now(), self.metrics.request());
        let (parts, body) = request.into_parts();
        let mut call = Call::new(parts, arrival.peer, &root.router);
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
        let mut route = None;
        let mut response = match preflight {
            Some(response) => response,
            None => {
                let answer = match correlated.and_then(|()| access::admit(&call, &arrival, root)) {
                    Ok(()) => inner.route(self, &call, body, &mut route).await,
                    Err(fault) => Err(fault),
                };
                // Errors of our own get their form in one place, whichever layer made them.
                let mut response = answer.unwrap_or_else(|fault| {
                    self.metrics.refused(fault.code, route.as_deref().unwrap_or("none"));
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
        let route = route.unwrap_or_else(|| "none".into());
        if response.headers().contains_key("deprecation") {
            self.metrics.deprecated(&call.method, &route);
        }
        let logged = root.log && !root.router.logger_skip_paths.contains(&call.path);
        Account::new(&self.metrics, call, route, response.status(), started, running)
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

impl Inner {
    /// From the path to whoever answers it.
    async fn route(
        &self,
        gateway: &Gateway,
        call: &Call,
        body: Incoming,
        route: &mut Option<String>,
    ) -> Result<Response<ResponseBody>, Fault> {
        let Self { root, routes, endpoints, .. } = self;

        // The gateway's own paths before the file's: health must answer whatever the file says.
        let read_only = || read_only::is_on(&root.read_only, &gateway.switch, &self.observed);
        if let Some(response) = own::answer(root, call, read_only) {
            *route = Some("gateway".into());
            return Ok(response);
        }
        if let Some(service) = gateway.locals.find(&call.path) {
            *route = Some("local".into());
            return local::answer(service, call, body, root.max_payload).await;
        }
        let path = escape::decode(&call.path)
            .ok_or_else(|| own::bad_request("invalid_path", "error: invalid URL escape"))?;
        let (index, params) = match routes.find(&call.method, &path) {
            Found::Endpoint(index, params) => (index, params),
            Found::Elsewhere(elsewhere) => return Ok(own::redirect(call, &elsewhere)),
            Found::OtherMethods(_) if root.router.auto_options && call.method == Method::OPTIONS => {
                return Ok(own::options(&routes.methods_of(&path)));
            }
            Found::OtherMethods(methods) => return Err(own::method_not_allowed(root, &methods)),
            Found::Nothing => return Err(own::not_found(root)),
        };
        let Some(found) = endpoints.get(index) else { return Err(own::not_found(root)) };
        *route = Some(found.endpoint.path.clone());
        if root.router.check_params {
            own::check_params(&params)?;
        }
        let mut answer = self.endpoint(gateway, call, body, found, params.into_iter().collect()).await;
        if let Some(deprecation) = &found.endpoint.deprecation {
            match &mut answer {
                Ok(response) => deprecation.mark(response.headers_mut()),
                Err(fault) => fault.headers.extend_from_slice(deprecation.headers()),
            }
        }
        answer
    }

    /// From an endpoint to its backends.
    async fn endpoint(
        &self,
        gateway: &Gateway,
        call: &Call,
        body: Incoming,
        route: &Arc<Route>,
        params: BTreeMap<String, String>,
    ) -> Result<Response<ResponseBody>, Fault> {
        let Self { root, upstream, identity, shadows, .. } = self;
        let start = Instant::now();

        // The cheap limit before the token: checking signatures is what an attacker would make us do.
        let early = match &self.early {
            Some(early) => early.check(&call.client.to_string()).await?,
            None => None,
        };

        // The token before the endpoint's limits, so that strangers cannot use up what others may.
        let claims = match &route.verifier {
            Some(verifier) => verifier.check(&call.headers).await?,
            None => Claims::new(),
        };
        call.facts.identify(&claims);
        let left = self.limit(call, route, &params).await?.or(early);

        // Read-only after the token: who may not write anyway is told so.
        let goes_on = route.endpoint.allow_in_read_only;
        let write = match call.method {
            Method::GET => None,
            _ => read_only::check(&root.read_only, &gateway.switch, route.observed.as_deref(), goes_on)?,
        };

        // The size last, so that a refused request never makes us read its body.
        let limit = route.endpoint.max_payload;
        if body.size_hint().lower() > limit {
            return Err(failure::too_large());
        }
        let payload = self.payload(body, route, start, &call.facts).await?;
        let socket = route.tunnels.as_ref().map(|tunnels| tunnels.take(call.wish.as_ref())).transpose()?;
        let inputs = Arc::new(Inputs::gather(route, call, params, claims, identity));
        shadows.send(upstream, route, &inputs, &payload);
        let ask = Ask { upstream, route, inputs: &inputs };
        let asked = Instant::now();
        let answer = match route.endpoint.output {
            Output::NoOp => {
                let never = start + std::time::Duration::from_secs(24 * 3600);
                let deadline = if route.endpoint.stream { never } else { start + route.endpoint.timeout };
                let socket = socket.zip(call.wish.clone());
                proxy::pass::answer(&ask, payload, identity, deadline, socket).await
            }
            _ => proxy::aggregate::answer(&ask, payload, identity, start).await,
        };
        route.observe(asked.elapsed(), &answer, identity);
        let tell = root.router.return_error_msg && route.endpoint.output != Output::NoOp;
        let mut response = answer.map_err(|failure| failure.into_fault(tell))?;
        if let Some(write) = write {
            read_only::learn(write, goes_on, &response);
        }
        limits::tell(left, response.headers_mut());
        Ok(response)
    }

    async fn limit(
        &self,
        call: &Call,
        route: &Route,
        params: &BTreeMap<String, String>,
    ) -> Result<Option<limits::Left>, Fault> {
        route.limits.check_everyone().await?;
        let (Some(clients), Some(limit)) = (&route.limits.clients, &route.endpoint.limit) else {
            return Ok(None);
        };
        let client = match &limit.key {
            RateKey::Ip(None) => call.client.to_string(),
            RateKey::Ip(Some(name)) | RateKey::Header(name) => call.header(name).to_owned(),
            RateKey::Param(name) => params.get(name).cloned().unwrap_or_default(),
        };
        if client.is_empty() { Ok(None) } else { clients.check(&client).await }
    }

    /// The body, streamed when one backend gets it, held when several do.
    async fn payload(
        &self,
        body: Incoming,
        route: &Route,
        start: Instant,
        facts: &Arc<Facts>,
    ) -> Result<Payload, Fault> {
        if body.is_end_stream() {
            return Ok(Payload::Empty);
        }
        let several = route.endpoint.backends.len() > 1 || route.endpoint.concurrent_calls > 1;
        let mut body = facts.receive(body::limited(body, route.endpoint.max_payload));
        if !self.root.read_timeout.is_zero() {
            body = body::boxed(Deadlined::new(body, start + self.root.read_timeout));
        }
        let limits = &self.root.connections;
        let pace = Pace { grace: limits.body_grace, rate: limits.body_min_rate };
        body = body::boxed(Paced::new(body, pace));
        if !several {
            return Ok(Payload::Stream(body));
        }
        let read = http_body_util::BodyExt::collect(body);
        match tokio::time::timeout_at(start + route.endpoint.timeout, read).await {
            Ok(Ok(collected)) => Ok(Payload::Known(collected.to_bytes())),
            Ok(Err(error)) if body::is_too_large(error.as_ref()) => Err(failure::too_large()),
            Ok(Err(error)) if pace::is_too_slow(error.as_ref()) => Err(failure::too_slow()),
            Ok(Err(_)) => Err(own::bad_request("incomplete_body", "The body of the request did not arrive.")),
            Err(_) => Err(failure::Failure::timeout().into_fault(false)),
        }
    }

    fn show(&self, fault: Fault, call: &Call) -> Response<ResponseBody> {
        let handled = fault.handled;
        // Read-only mode says once that it is on; every write says so to its client.
        if fault.status.is_server_error() && fault.code != "read_only" {
            tracing::warn!(
                status = fault.status.as_u16(),
                code = fault.code,
                path = call.path,
                correlation_id = call.correlation_id,
                "the gateway answered with an error"
            );
        }
        let mut response = if self.root.problems {
            fault.into_problem(&call.path, &call.correlation_id)
        } else {
            fault.into_plain()
        };
        if handled {
            self.identity.mark(response.headers_mut(), false);
        }
        response
    }
}
