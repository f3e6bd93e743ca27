//! A span, and with it the place in a trace where the next ones hang.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value};

use crate::Tracing;

tokio::task_local! {
    static CURRENT: Trace;
}

/// A span that has begun. It ends with [`Trace::end`], or when the last clone of it is dropped.
#[derive(Clone)]
pub struct Trace {
    tracing: Tracing,
    context: Context,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.traceparent())
    }
}

impl Trace {
    pub(crate) fn begin(tracing: Tracing, name: Cow<'static, str>, kind: SpanKind, parent: &Context) -> Self {
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        let span = tracing.0.tracer.build_with_context(builder, parent);
        Self { context: Context::new().with_span(span), tracing }
    }

    /// The span that the running task works for, when it is recorded.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::here().filter(Self::is_recorded)
    }

    /// The span that the running task works for, recorded or not: what is asked of others is told of it.
    #[must_use]
    pub fn here() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Lets a future work for this span.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(self.clone(), future).await
    }

    /// Whether this trace is kept; what nobody will see need not be gathered.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.context.span().span_context().is_sampled()
    }

    /// A span below this one.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>, kind: SpanKind) -> Self {
        if !self.is_recorded() {
            return self.clone();
        }
        Self::begin(self.tracing.clone(), name.into(), kind, &self.context)
    }

    /// A span below this one that has taken so long and ends now.
    pub fn record(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        took: Duration,
        attributes: Vec<KeyValue>,
    ) {
        let end = opentelemetry::time::now();
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(end.checked_sub(took).unwrap_or(end))
            .with_attributes(attributes);
        self.tracing.0.tracer.build_with_context(builder, &self.context);
    }

    /// Says something about the span, by the names of OpenTelemetry's semantic conventions.
    pub fn attribute(&self, key: &'static str, value: impl Into<Value>) {
        self.context.span().set_attribute(KeyValue::new(key, value));
    }

    /// Gives the span a better name, once it is known.
    pub fn rename(&self, name: String) {
        self.context.span().update_name(name);
    }

    /// Marks the span as failed; `what` is a code or a class of errors, never a text that could hold data.
    pub fn fail(&self, what: &str) {
        self.attribute("error.type", what.to_owned());
        self.context.span().set_status(Status::error(String::new()));
    }

    /// Ends the span.
    pub fn end(&self) {
        self.context.span().end();
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        self.context.span().span_context().trace_id().to_string()
    }

    /// The header `traceparent` (W3C Trace Context, section 3.2).
    #[must_use]
    pub fn traceparent(&self) -> String {
        let span = self.context.span();
        let place = span.span_context();
        format!("00-{}-{}-{:02x}", place.trace_id(), place.span_id(), place.trace_flags())
    }

    /// Tells the receiver of a request where its spans hang.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.traceparent()) {
            headers.insert("traceparent", value);
        }
        let state = self.context.span().span_context().trace_state().header();
        match HeaderValue::from_str(&state) {
            Ok(value) if !state.is_empty() => headers.insert("tracestate", value),
            _ => headers.remove("tracestate"),
        };
    }
}

/// Lets a future work for a span, if there is one.
pub async fn within<F: Future>(trace: Option<&Trace>, future: F) -> F::Output {
    match trace {
        Some(trace) => trace.scope(future).await,
        None => future.await,
    }
}
