//! From an endpoint to its backends: what a request becomes on the way there.

pub mod aggregate;
mod answer;
mod observed;
pub mod pass;
mod send;
mod target;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use otlp::Trace;
use prometheus_client::metrics::histogram::Histogram;
use serde_json::{Map, Value};

use crate::account::Facts;
use crate::auth::{Claims, Verifier, claims};
use crate::breaker::Breaker;
use crate::call::Call;
use crate::config::pattern::{Part, Source};
use crate::config::{Backend, Endpoint, Names};
use crate::escape;
use crate::failure::{Failure, Kind};
use crate::headers::{CORRELATION_ID, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_VIA, Identity, TRACEPARENT};
use crate::limits::Limits;
use crate::memo::Memo;
use crate::metrics::Metrics;
use crate::tunnel::{self, Tunnels};
use crate::upstream::Upstream;
pub use target::Target;

/// An endpoint that is ready to run.
pub struct Route {
    /// What the file says.
    pub endpoint: Endpoint,
    /// Who may call.
    pub verifier: Option<Verifier>,
    /// How often.
    pub limits: Limits,
    /// Whether the backend was found to take no writes.
    pub observed: Option<Arc<Breaker>>,
    /// Its WebSockets.
    pub tunnels: Option<Tunnels>,
    targets: Vec<Target>,
    /// Headers that tell a backend who asks, besides those that always do.
    personal: Vec<HeaderName>,
    metrics: Arc<Metrics>,
    /// How long its backends took, by whether they failed and were complete.
    outcomes: Memo<(bool, bool), Histogram>,
    /// How long its answers took and how large they were, by their status.
    pub answers: Memo<StatusCode, (Histogram, Histogram)>,
}

/// Who answers a request.
pub enum Answerer {
    /// An endpoint of the file.
    Endpoint(Arc<Route>),
    /// The gateway itself, a service in the same process, or nobody.
    Other(&'static str),
}

impl Answerer {
    /// As metrics, spans and the access log name it: never the path that was asked for.
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoint(route) => &route.endpoint.path,
            Self::Other(name) => name,
        }
    }
}

impl Route {
    /// Makes an endpoint ready, with a target for each of its backends.
    pub fn new(
        endpoint: Endpoint,
        verifier: Option<Verifier>,
        limits: Limits,
        observed: Option<Arc<Breaker>>,
        targets: Vec<Target>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let validator = endpoint.validator.iter();
        let names = validator
            .flat_map(|rules| rules.propagate_claims.iter().map(|(_, name)| name).chain([&rules.header]));
        Self {
            personal: names.filter_map(|name| name.parse().ok()).collect(),
            targets,
            verifier,
            limits,
            observed,
            tunnels: endpoint
                .websocket
                .map(|limits| Tunnels::new(limits.max_connections, limits.idle_timeout)),
            metrics: Arc::clone(metrics),
            outcomes: Memo::default(),
            answers: Memo::default(),
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
        let mut headers = match &endpoint.input_headers {
            Names::All => call.headers.clone(),
            _ => kept(&call.headers, pass),
        };
        if let Some(verifier) = &route.verifier {
            for (name, value) in verifier.propagated(&claims) {
                let Ok(name) = name.parse::<HeaderName>() else { continue };
                headers.remove(&name);
                if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok())
                    && pass(name.as_str())
                {
                    headers.insert(name, value);
                }
            }
        }
        call.announce(&mut headers);
        if route.tunnels.is_some()
            && let Some(wish) = &call.wish
        {
            wish.announce(&mut headers);
        }
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
static ALWAYS: [HeaderName; 6] =
    [FORWARDED_FOR, FORWARDED_HOST, FORWARDED_VIA, USER_AGENT, CORRELATION_ID, TRACEPARENT];

impl<'a> Ask<'a> {
    /// The method, path with query, and headers for a backend; `answers` are those of earlier ones.
    fn prepare(
        &self,
        backend: &Backend,
        answers: &[Map<String, Value>],
    ) -> Result<(Method, String, Cow<'a, HeaderMap>), Failure> {
        let mut path = self.fill(&backend.url_pattern.path, answers, escape::path)?;
        let fixed = self.fill(&backend.url_pattern.query, answers, |text, _| escape::query(text))?;
        let passed =
            self.inputs.query.iter().filter(|(name, _)| backend.input_query_strings.pass(name, true));
        let passed = escape::join(passed.cloned().collect());
        for (mark, query) in
            ['?', if fixed.is_empty() { '?' } else { '&' }].into_iter().zip([&fixed, &passed])
        {
            if !query.is_empty() {
                path.push(mark);
                path.push_str(query);
            }
        }
        let upgrade = self.route.tunnels.is_some();
        let headers = match &backend.input_headers {
            Names::Listed(list) => Cow::Owned(kept(&self.inputs.headers, |name| {
                list.iter().any(|listed| listed == name)
                    || ALWAYS.iter().any(|always| always == name)
                    || upgrade && tunnel::HEADERS.iter().any(|opening| opening == name)
            })),
            _ => Cow::Borrowed(&self.inputs.headers),
        };
        Ok((backend.method.clone(), path, headers))
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
}

/// The headers whose names pass.
fn kept(headers: &HeaderMap, pass: impl Fn(&str) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| pass(name.as_str())) {
        kept.append(name.clone(), value.clone());
    }
    kept
}

/// A value as the original writes it into a path.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".into(),
        other => other.to_string(),
    }
}
