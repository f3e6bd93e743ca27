//! What a request came to, once its answer has left: the metrics, the access log's line, the end of its span.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use otlp::Trace;
use tokio::time::Instant;

use crate::auth::{Claims, claims};
use crate::body::{self, BoxError, ResponseBody};
use crate::call::Call;
use crate::metrics::{Metrics, Present};
use crate::proxy::Answerer;

/// More of a `User-Agent` is not logged, in bytes.
const MAX_AGENT: usize = 256;

/// What the layers learn about a request on the way.
#[derive(Debug, Default)]
pub struct Facts {
    received: AtomicU64,
    upstream_us: AtomicU64,
    awaited: AtomicBool,
    who: OnceLock<(Option<String>, Option<String>)>,
}

impl Facts {
    /// Notes whose token it is: the claims `sub` and `org`.
    pub fn identify(&self, claims: &Claims) {
        // Only the first token of a request is looked at, so there is nothing to replace.
        let _ = self.who.set((claims::text(claims, "sub"), claims::text(claims, "org")));
    }

    /// Notes whether the client is waited for, since a part of its body is not here.
    pub fn await_client(&self, awaited: bool) {
        self.awaited.store(awaited, Ordering::Relaxed);
    }

    /// Whether the client is waited for.
    pub fn is_client_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Adds the time of a call to a backend.
    pub fn asked(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.upstream_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts the bytes of a request's body; those whose length is announced without looking at them.
    pub fn receive(self: &Arc<Self>, body: ResponseBody) -> ResponseBody {
        if let Some(bytes) = body.size_hint().exact() {
            self.received.store(bytes, Ordering::Relaxed);
            return body;
        }
        body::boxed(Arriving { inner: body, facts: Arc::clone(self) })
    }
}

struct Arriving {
    inner: ResponseBody,
    facts: Arc<Facts>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        self.facts.received.fetch_add(length(&polled), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn length(polled: &Poll<Option<Result<Frame<Bytes>, BoxError>>>) -> u64 {
    match polled {
        Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, |bytes| bytes.len() as u64),
        _ => 0,
    }
}

/// What is told about a request when its answer has left, or is given up.
pub struct Account {
    metrics: Arc<Metrics>,
    method: Method,
    path: String,
    client: IpAddr,
    agent: Option<HeaderValue>,
    correlation_id: String,
    traceparent: String,
    trace: Option<Trace>,
    facts: Arc<Facts>,
    answerer: Answerer,
    status: StatusCode,
    started: Instant,
    logged: bool,
    sent: u64,
    _running: Present,
}

impl Account {
    /// Opens it, when the answer's head is known.
    pub fn new(
        metrics: &Arc<Metrics>,
        call: Call,
        answerer: Answerer,
        status: StatusCode,
        started: Instant,
        running: Present,
    ) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            method: call.method,
            path: call.path,
            client: call.client,
            agent: call.headers.get(USER_AGENT).cloned(),
            correlation_id: call.correlation_id,
            traceparent: call.traceparent,
            trace: call.trace,
            facts: call.facts,
            answerer,
            status,
            started,
            logged: false,
            sent: 0,
            _running: running,
        }
    }

    /// Whether it has a line in the access log.
    #[must_use]
    pub fn logged(mut self, logged: bool) -> Self {
        self.logged = logged;
        self
    }

    /// Lets it go with the answer.
    pub fn go_with(self, response: Response<ResponseBody>) -> Response<Leaving> {
        response.map(|inner| Leaving { inner, account: Box::new(self) })
    }

    /// Writes the access log's line. Neither headers nor the query are in it, but the name of the program: the others may
    /// hold tokens.
    fn log(&self, took: Duration) {
        let millis = |took: Duration| (took.as_secs_f64() * 1e6).round() / 1000.0;
        let (user, organization) = self
            .facts
            .who
            .get()
            .map_or((None, None), |(user, organization)| (user.as_deref(), organization.as_deref()));
        let upstream = self.facts.upstream_us.load(Ordering::Relaxed);
        let agent = self.agent.as_ref().and_then(|value| value.to_str().ok());
        tracing::info!(
            target: "gateway::access",
            method = %self.method,
            path = %self.path,
            route = self.answerer.name(),
            status = self.status.as_u16(),
            bytes_in = self.facts.received.load(Ordering::Relaxed),
            bytes_out = self.sent,
            duration_ms = millis(took),
            upstream_ms = millis(Duration::from_micros(upstream)),
            correlation_id = self.correlation_id,
            trace_id = self.traceparent.get(3..35),
            client = %self.client,
            user,
            organization,
            user_agent = agent.map(|text| text.get(..MAX_AGENT).unwrap_or(text)),
            "answered"
        );
    }

    fn end_span(&self, trace: &Trace) {
        if trace.is_recorded() {
            trace.rename(format!("{} {}", self.method, self.answerer.name()));
            trace.attribute("http.route", self.answerer.name().to_owned());
            trace.attribute("http.response.status_code", i64::from(self.status.as_u16()));
            let received = self.facts.received.load(Ordering::Relaxed);
            trace.attribute("http.request.body.size", i64::try_from(received).unwrap_or(i64::MAX));
            trace.attribute("http.response.body.size", i64::try_from(self.sent).unwrap_or(i64::MAX));
            if !self.correlation_id.is_empty() {
                trace.attribute("correlation.id", self.correlation_id.clone());
            }
            if let Some((Some(user), _)) = self.facts.who.get() {
                trace.attribute("user.id", user.clone());
            }
            if self.status.is_server_error() {
                trace.fail(self.status.as_str());
            }
        }
        trace.end();
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        self.metrics.answered(&self.method, &self.answerer, self.status, took, self.sent);
        if let Some(trace) = &self.trace {
            self.end_span(trace);
        }
        if self.logged {
            self.log(took);
        }
    }
}

/// The body of an answer on its way to the client, with its account.
pub struct Leaving {
    inner: ResponseBody,
    account: Box<Account>,
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        self.account.sent += length(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
