//! The gateway's spans: one for a request, one for each call to a backend. Without a collector there are none.

use std::borrow::Cow;

use http::{HeaderMap, Method, Response, StatusCode};
use otlp::{Kind, Settings, Trace, Tracing};
use url::Url;

use crate::Options;
use crate::call::Call;
use crate::config::{Layers, Root};
use crate::failure::{Failure, Kind as Failed};
use crate::metrics::known;

/// What makes spans, and which.
#[derive(Clone)]
pub struct Spans {
    tracing: Tracing,
    layers: Layers,
}

impl Spans {
    /// As the file says, or as the process does when the file says nothing; goes on with what was there before a reload
    /// when it sends the same to the same collector.
    ///
    /// # Errors
    /// When the collector's address cannot be used.
    pub fn start(root: &Root, options: &Options, before: Option<&Self>) -> Result<Option<Self>, String> {
        let (settings, layers) = match &root.telemetry {
            Some(file) => match &file.collector {
                Some(collector) => {
                    let settings = Settings {
                        endpoint: collector.clone(),
                        service: file.service_name.clone(),
                        version: file.service_version.clone(),
                        sample_rate: file.sample_rate,
                    };
                    (settings, file.layers.clone())
                }
                None => return Ok(None),
            },
            None => match &options.otlp {
                Some(settings) => (settings.clone(), Layers::default()),
                None => return Ok(None),
            },
        };
        let tracing = match before {
            Some(before) if *before.tracing.settings() == settings => before.tracing.clone(),
            _ => Tracing::start(settings)?,
        };
        Ok(Some(Self { tracing, layers }))
    }

    /// What makes them.
    pub fn tracing(&self) -> &Tracing {
        &self.tracing
    }

    /// Begins the span of a request, and gives the request its place in the trace.
    pub fn receive(&self, call: &mut Call) {
        if self.layers.skips(&call.path) {
            return;
        }
        let method = known(&call.method);
        let nothing = HeaderMap::new();
        let headers = if self.layers.propagation { &call.headers } else { &nothing };
        let trace = self.tracing.receive(headers, method.to_owned(), Kind::Server);
        if trace.is_recorded() {
            trace.attribute("http.request.method", method);
            trace.attribute("url.path", call.path.clone());
            let port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
            let host = call.host.rsplit_once(':').filter(port).map_or(&*call.host, |(host, _)| host);
            trace.attribute("server.address", host.to_owned());
            trace.attribute("client.address", call.client.to_string());
        }
        call.traceparent = trace.traceparent();
        call.trace_backends = self.layers.backend;
        call.trace = Some(trace);
    }
}

/// The span of one call to a backend. Dropped before its end, the call was given up.
pub struct Outward(Option<Trace>);

impl Outward {
    /// Begins it, and tells the backend where its own spans hang.
    pub fn begin(
        trace: Option<&Trace>,
        wanted: bool,
        pattern: &str,
        method: &Method,
        url: &Url,
        headers: &mut Cow<'_, HeaderMap>,
    ) -> Self {
        let Some(trace) = trace.filter(|trace| trace.is_recorded()) else { return Self(None) };
        if !wanted {
            trace.inject(headers.to_mut());
            return Self(None);
        }
        let span = trace.child(format!("{} {pattern}", known(method)), Kind::Client);
        span.attribute("http.request.method", known(method));
        span.attribute("url.template", pattern.to_owned());
        span.attribute("server.address", url.host_str().unwrap_or_default().to_owned());
        span.attribute("server.port", i64::from(url.port_or_known_default().unwrap_or_default()));
        span.inject(headers.to_mut());
        Self(Some(span))
    }

    /// Ends it with what came back.
    pub fn end<B>(mut self, answer: &Result<(Response<B>, Url), Failure>) {
        let Some(span) = self.0.take() else { return };
        match answer {
            Ok((response, _)) => {
                let status = response.status();
                span.attribute("http.response.status_code", i64::from(status.as_u16()));
                if status.is_client_error() || status.is_server_error() {
                    span.fail(StatusCode::as_str(&status));
                }
            }
            Err(failure) => span.fail(match failure.kind {
                Failed::Timeout => "timeout",
                Failed::Unreachable => "unreachable",
                Failed::TooLarge => "request_too_large",
                Failed::TooSlow => "request_too_slow",
                Failed::Incomplete => "request_incomplete",
                Failed::BadAnswer | Failed::Open | Failed::Limited | Failed::Full => "bad_answer",
            }),
        }
        span.end();
    }
}

impl Drop for Outward {
    fn drop(&mut self) {
        if let Some(span) = self.0.take() {
            span.fail("cancelled");
            span.end();
        }
    }
}
