//! From an endpoint to its backends: what a request becomes on the way there.

pub mod aggregate;
mod answer;
mod observed;
pub mod pass;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use otlp::Trace;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use crate::account::Facts;
use crate::auth::{Claims, Verifier, claims};
use crate::body::ResponseBody;
use crate::breaker::Breaker;
use crate::call::Call;
use crate::config::pattern::{Part, Source};
use crate::config::{Backend, Endpoint, Names};
use crate::failure::{Failure, Kind};
use crate::headers::{CORRELATION_ID, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_VIA, Identity, TRACEPARENT};
use crate::limiter::{PerClient, Shared};
use crate::metrics::{Asked, Metrics};
use crate::upstream::{Outgoing, Payload, Upstream};
use crate::{escape, modify};

/// An endpoint that is ready to run.
pub struct Route {
    /// What the file says.
    pub endpoint: Endpoint,
    /// Who may call.
    pub verifier: Option<Verifier>,
    /// How often all together.
    pub everyone: Option<Shared>,
    /// How often each.
    pub clients: Option<PerClient>,
    targets: Vec<Target>,
    metrics: Arc<Metrics>,
}

/// What changes while a backend is asked.
struct Target {
    turn: AtomicUsize,
    breaker: Option<Breaker>,
    limit: Option<Shared>,
    asked: Asked,
}

impl Route {
    /// Makes an endpoint ready.
    pub fn new(endpoint: Endpoint, verifier: Option<Verifier>, metrics: &Arc<Metrics>) -> Self {
        let limit = endpoint.limit.as_ref();
        let target = |backend: &Backend| Target {
            turn: AtomicUsize::new(0),
            breaker: backend.breaker.map(Breaker::new),
            limit: backend.limit.map(Shared::new),
            asked: observed::labels(&endpoint, backend),
        };
        Self {
            verifier,
            everyone: limit.and_then(|limit| limit.all).map(Shared::new),
            clients: limit.and_then(|limit| limit.client).map(PerClient::new),
            targets: endpoint.backends.iter().map(target).collect(),
            metrics: Arc::clone(metrics),
            endpoint,
        }
    }
}

/// What a request brings to every backend.
pub struct Inputs {
    /// Path parameters, decoded.
    pub params: BTreeMap<String, String>,
    /// Claims of the token.
    pub claims: Claims,
    /// Headers that pass.
    pub headers: HeaderMap,
    /// Query parameters that pass, decoded.
    pub query: Vec<(String, String)>,
    /// The request's span, when traces are on.
    pub trace: Option<Trace>,
    /// Whether calls to backends have spans of their own.
    pub trace_backends: bool,
    /// What is learned about the request.
    pub facts: Arc<Facts>,
}

/// What is needed to ask backends.
pub struct Ask<'a> {
    /// The client.
    pub upstream: &'a Upstream,
    /// The endpoint.
    pub route: &'a Route,
    /// What the request brings.
    pub inputs: &'a Inputs,
}

impl Inputs {
    /// Keeps of a request what the endpoint lets pass, and adds what is always there.
    pub fn gather(
        route: &Route,
        call: &Call,
        params: BTreeMap<String, String>,
        claims: Claims,
        identity: &Identity,
    ) -> Self {
        let endpoint = &route.endpoint;
        let pass = |name: &str| match &endpoint.input_headers {
            Names::Unset => name == CONTENT_TYPE,
            names => names.pass(name, false),
        };
        let mut headers = call.headers.clone();
        if let Some(verifier) = &route.verifier {
            for (name, value) in verifier.propagated(&claims) {
                let Ok(name) = name.parse::<HeaderName>() else { continue };
                headers.remove(&name);
                if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        let refused: Vec<HeaderName> = headers.keys().filter(|name| !pass(name.as_str())).cloned().collect();
        refused.iter().for_each(|name| drop(headers.remove(name)));
        call.announce(&mut headers);
        let own = if headers.contains_key(USER_AGENT) { FORWARDED_VIA } else { USER_AGENT };
        headers.insert(own, identity.user_agent.clone());
        let query = escape::pairs(call.query.as_deref().unwrap_or_default());
        let query =
            query.into_iter().filter(|(name, _)| endpoint.input_query_strings.pass(name, false)).collect();
        let (trace, trace_backends, facts) =
            (call.trace.clone(), call.trace_backends, Arc::clone(&call.facts));
        Self { params, claims, headers, query, trace, trace_backends, facts }
    }
}

/// Set by the gateway, so a backend's own list does not take them away.
const ALWAYS: [HeaderName; 6] =
    [FORWARDED_FOR, FORWARDED_HOST, FORWARDED_VIA, USER_AGENT, CORRELATION_ID, TRACEPARENT];

impl Ask<'_> {
    /// The method, address and headers for a backend; `answers` are those of earlier ones.
    fn prepare(
        &self,
        index: usize,
        backend: &Backend,
        answers: &[Map<String, Value>],
    ) -> Result<(Method, Url, HeaderMap), Failure> {
        let bad = |text: String| Failure::new(Kind::BadAnswer, text);
        let target = self.route.targets.get(index);
        let turn = target.map_or(0, |target| target.turn.fetch_add(1, Ordering::Relaxed));
        let host =
            backend.hosts.get(turn % backend.hosts.len().max(1)).ok_or_else(|| bad("no host".into()))?;
        let path = self.fill(&backend.url_pattern.path, answers, escape::path)?;
        let fixed = self.fill(&backend.url_pattern.query, answers, |text, _| escape::query(text))?;
        let passed =
            self.inputs.query.iter().filter(|(name, _)| backend.input_query_strings.pass(name, true));
        let passed = escape::join(passed.cloned().collect());
        let query = [fixed, passed].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let text = format!("{}{path}{mark}{query}", host.as_str().trim_end_matches('/'));
        let url = Url::parse(&text).map_err(|error| bad(format!("{text}: {error}")))?;
        let mut headers = self.inputs.headers.clone();
        let pass =
            |name: &&HeaderName| backend.input_headers.pass(name.as_str(), true) || ALWAYS.contains(name);
        let refused: Vec<HeaderName> = headers.keys().filter(|name| !pass(name)).cloned().collect();
        refused.iter().for_each(|name| drop(headers.remove(name)));
        Ok((backend.method.clone(), url, headers))
    }

    fn fill(
        &self,
        parts: &[Part],
        answers: &[Map<String, Value>],
        escape: impl Fn(&str, &str) -> String,
    ) -> Result<String, Failure> {
        let mut out = String::new();
        for part in parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(source) => {
                    let missing = || Failure::new(Kind::BadAnswer, format!("no value for {source:?}"));
                    let value = self.value(source, answers).ok_or_else(missing)?;
                    // An earlier answer may name a path of several segments; nobody else may.
                    let keep = if matches!(source, Source::Answer { .. }) { "/" } else { "" };
                    if value.split('/').any(|segment| segment == "." || segment == "..") {
                        return Err(missing());
                    }
                    out.push_str(&escape(&value, keep));
                }
            }
        }
        Ok(out)
    }

    fn value(&self, source: &Source, answers: &[Map<String, Value>]) -> Option<String> {
        match source {
            Source::Path(name) => self.inputs.params.get(name).cloned(),
            Source::Claim(path) => claims::text(&self.inputs.claims, path),
            Source::Answer { backend, keys } => {
                let (first, rest) = keys.split_first()?;
                let found =
                    rest.iter().try_fold(answers.get(*backend)?.get(first)?, |value, key| value.get(key))?;
                Some(match found {
                    Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(","),
                    other => word(other),
                })
            }
        }
    }

    /// Asks a backend, unless it is to be left alone.
    async fn send(
        &self,
        index: usize,
        backend: &Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<(Response<ResponseBody>, Url), Failure> {
        let (method, mut url, mut headers) = self.prepare(index, backend, answers)?;
        if let Some(target) = self.route.targets.get(index) {
            if target.breaker.as_ref().is_some_and(|breaker| !breaker.allows(Instant::now())) {
                return Err(Failure::new(Kind::Open, "circuit breaker is open"));
            }
            if target.limit.as_ref().is_some_and(|limit| limit.take().is_err()) {
                return Err(Failure::new(Kind::Limited, "ERROR: rate limit exceeded"));
            }
        }
        modify::request(&backend.modifier.request, &mut url, &mut headers);
        let outgoing = Outgoing { method, url, headers, body: payload };
        let (mut response, url) = self.exchanged(index, outgoing, deadline).await?;
        modify::response(&backend.modifier.response, &mut response);
        Ok((response, url))
    }

    /// Tells the breaker how a call ended.
    fn note<T>(&self, index: usize, result: &Result<T, Failure>, answered_5xx: bool) {
        let Some(breaker) = self.route.targets.get(index).and_then(|target| target.breaker.as_ref()) else {
            return;
        };
        // What was never sent says nothing about the backend.
        let sent = result
            .as_ref()
            .err()
            .is_none_or(|failure| !matches!(failure.kind, Kind::Open | Kind::Limited | Kind::TooLarge));
        if sent {
            breaker.note(result.is_ok() && !(answered_5xx && breaker.counts_5xx()), Instant::now());
        }
    }
}

/// A value as the original writes it into a path.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".into(),
        other => other.to_string(),
    }
}
