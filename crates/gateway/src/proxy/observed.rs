//! What is measured and traced of an endpoint and its backends.

use std::time::Duration;

use http::Response;
use tokio::time::Instant;
use url::Url;

use super::{Ask, Route, Target};
use crate::body::ResponseBody;
use crate::config::{Backend, Endpoint, Output};
use crate::failure::{Failure, Kind};
use crate::headers::Identity;
use crate::metrics::{Asked, Label, known};
use crate::spans::Outward;
use crate::upstream::Outgoing;

/// How a backend is named in metrics: in the words of the file, so that there are only so many.
pub fn labels(endpoint: &Endpoint, backend: &Backend) -> Asked {
    let pattern = backend.url_pattern.text.split('?').next().unwrap_or_default();
    let mut hosts: Vec<&str> = backend.hosts.iter().map(|host| host.as_str().trim_end_matches('/')).collect();
    hosts.dedup();
    Asked {
        http_request_method: known(&backend.method),
        http_route: Label::from(pattern),
        server_address: Label::from(hosts.join("_").as_str()),
        krakend_endpoint: Label::from(endpoint.path.as_str()),
        krakend_endpoint_method: known(&endpoint.method),
    }
}

impl Route {
    /// Whether each breaker is open.
    pub fn breakers(&self) -> impl Iterator<Item = (&Asked, bool)> {
        self.targets.iter().filter_map(|target| Some((&target.asked, target.is_open()?)))
    }

    /// Measures what the backends came to.
    pub fn observe(
        &self,
        took: Duration,
        answer: &Result<Response<ResponseBody>, Failure>,
        identity: &Identity,
    ) {
        let passed_on = self.endpoint.output == Output::NoOp;
        let complete =
            answer.as_ref().is_ok_and(|response| passed_on || identity.is_complete(response.headers()));
        let (method, path, failed) = (&self.endpoint.method, &self.endpoint.path, answer.is_err());
        let find = || self.metrics.proxied(method, path, failed, complete);
        self.outcomes.get((failed, complete), find).observe(took.as_secs_f64());
    }
}

impl Ask<'_> {
    /// Measures a backend's part.
    pub(super) fn staged(&self, index: usize, started: Instant, failed: bool, complete: bool) {
        if let Some(target) = self.route.targets.get(index) {
            let find = || self.route.metrics.staged(&target.asked, failed, complete);
            target.parts.get((failed, complete), find).observe(started.elapsed().as_secs_f64());
        }
    }

    /// Sends, in a span of its own, and measures the time until the head of the answer.
    pub(super) async fn exchanged(
        &self,
        target: &Target,
        mut outgoing: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<(Response<ResponseBody>, Url), Failure> {
        let pattern = target.asked.http_route.as_str();
        let Outgoing { method, url, headers, .. } = &mut outgoing;
        let (trace, wanted) = (self.inputs.trace.as_ref(), self.inputs.trace_backends);
        let span = Outward::begin(trace, wanted, pattern, method, url, headers);
        let started = Instant::now();
        let mut answer = self.upstream.send(outgoing, deadline).await;
        if let Err(failure) = &mut answer
            && failure.kind == Kind::Timeout
            && self.inputs.facts.is_client_awaited()
        {
            // The backend waited for the client, too.
            failure.kind = Kind::TooSlow;
        }
        let took = started.elapsed();
        self.inputs.facts.asked(took);
        let status = answer.as_ref().ok().map(|(response, _)| response.status());
        let find = || self.route.metrics.exchanged(&target.asked, status);
        target.exchanges.get(status, find).observe(took.as_secs_f64());
        span.end(&answer);
        answer
    }
}
