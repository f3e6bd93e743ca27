//! Traces: spans of the gateway and the services, sent to a collector by OTLP over HTTP. Off, nothing of it runs.

mod exporter;
mod queue;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

pub use opentelemetry::KeyValue;
pub use opentelemetry::trace::SpanKind as Kind;
pub use queue::Counts;
pub use trace::{Trace, within};

use queue::Sending;

/// How long a stopping process waits until its last spans are sent.
const LAST: Duration = Duration::from_secs(5);

/// Where spans go, who made them, and how many of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The collector, such as `http://collector:4318`; `/v1/traces` is added when it names no path.
    pub endpoint: String,
    /// `service.name`.
    pub service: String,
    /// `service.version`; empty: none.
    pub version: String,
    /// The share of traces that are kept, 0 to 1; a trace that began elsewhere is kept when it is kept there.
    pub sample_rate: f64,
}

/// Makes spans in the name of one service. Cheap to clone.
#[derive(Clone)]
pub struct Tracing(Arc<Inner>);

struct Inner {
    settings: Settings,
    tracer: SdkTracer,
    sending: Sending,
    // Kept, because a provider that is dropped shuts its tracers down.
    _provider: SdkTracerProvider,
}

impl std::fmt::Debug for Tracing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tracing").field(&self.0.settings).finish()
    }
}

impl Tracing {
    /// Begins to send. Needs a running Tokio; the collector need not be there yet.
    ///
    /// # Errors
    /// When the endpoint is no address of http or https, the sample rate is not from 0 to 1, or https has no roots.
    pub fn start(settings: Settings) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&settings.sample_rate) {
            return Err(format!("the sample rate {} is not from 0 to 1", settings.sample_rate));
        }
        let names = [("service.name", &settings.service), ("service.version", &settings.version)];
        let named = names.into_iter().filter(|(_, text)| !text.is_empty());
        let named = named.map(|(name, text)| KeyValue::new(name, text.clone()));
        let resource = Resource::builder_empty().with_attributes(named).build();
        let exporter = exporter::build(&settings.endpoint, &resource)?;
        let (queue, sending) = queue::start(exporter)?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_rate))))
            .build();
        let tracer = provider.tracer_with_scope(InstrumentationScope::builder("reservas").build());
        Ok(Self(Arc::new(Inner { settings, tracer, sending, _provider: provider })))
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// A span that goes on where the headers of a request say (`traceparent`, `tracestate`), or begins a trace.
    #[must_use]
    pub fn receive(&self, headers: &HeaderMap, name: String, kind: Kind) -> Trace {
        let propagator = TraceContextPropagator::new();
        let parent = propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
        Trace::begin(self.clone(), name.into(), kind, &parent)
    }

    /// A span that goes on where a `traceparent` says that was kept, for what was caused by a request and happens later.
    #[must_use]
    pub fn resume(&self, traceparent: &str, name: String, kind: Kind) -> Trace {
        let value = http::HeaderValue::from_str(traceparent).ok();
        let name_of = || http::HeaderName::from_static("traceparent");
        self.receive(&value.into_iter().map(|value| (name_of(), value)).collect(), name, kind)
    }

    /// A span that begins a trace.
    #[must_use]
    pub fn root(&self, name: String, kind: Kind) -> Trace {
        Trace::begin(self.clone(), name.into(), kind, &Context::new())
    }

    /// How many spans were sent, and how many were not.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.sending.counts()
    }

    /// Sends what has ended, for five seconds at most; spans that end later are dropped and counted.
    pub async fn shutdown(&self) {
        self.0.sending.finish(LAST).await;
    }
}
