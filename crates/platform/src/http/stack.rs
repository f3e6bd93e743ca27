//! The layers around every service's router, outermost first: correlation, log, metrics, problems, limits.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use otlp::{Kind, Trace, Tracing};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::correlation::{self, Correlation};
use super::problem::Problem;
use crate::metrics::{HttpMetrics, known};

/// Bodies are this large at most, unless an operation states its own limit.
pub const MAX_BODY: usize = 1024 * 1024;
/// A request is answered within this time; only the event feed waits on purpose, and for less.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Puts the layers around a service's router.
pub fn stack(router: Router, service: &'static str, metrics: HttpMetrics, traces: Option<Tracing>) -> Router {
    router
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(metrics, measure))
        .layer(middleware::from_fn_with_state((service, traces), correlate))
}

/// Gives the request its correlation id and span, and the answer its id, its log line and its problem document.
async fn correlate(
    State((service, traces)): State<(&'static str, Option<Tracing>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let correlation = match Correlation::of(request.headers()) {
        Ok(correlation) => correlation,
        Err(problem) => return render(problem.into_response(), &path, &Correlation::mint()),
    };
    request.extensions_mut().insert(correlation.clone());
    let trace = traces.filter(|_| !is_quiet(&path)).map(|traces| received(&traces, &request, &correlation));
    let trace_id = trace.as_ref().map(Trace::id).or_else(|| trace_id(request.headers()));
    let span = tracing::info_span!("request", service, correlation_id = %correlation.id, trace_id);
    let started = Instant::now();
    let response = otlp::within(trace.as_ref(), next.run(request)).instrument(span.clone()).await;
    if let Some(trace) = &trace {
        answered(trace, &response);
    }
    let response = render(response, &path, &correlation);
    log(&span, &method, &path, response.status(), started.elapsed());
    response
}

/// What only services and probes ask for: it would drown the rest.
fn is_quiet(path: &str) -> bool {
    path.starts_with("/internal/events")
        || path == crate::auth::revocations::PATH
        || path.starts_with("/health/")
        || path == "/metrics"
}

/// Begins the span of a request, below that of whoever asks.
fn received(traces: &Tracing, request: &Request, correlation: &Correlation) -> Trace {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let method = known(request.method());
    let trace = traces.receive(request.headers(), format!("{method} {route}"), Kind::Server);
    if trace.is_recorded() {
        trace.attribute("http.request.method", method);
        trace.attribute("http.route", route.to_owned());
        trace.attribute("url.path", request.uri().path().to_owned());
        trace.attribute("correlation.id", correlation.id.clone());
    }
    trace
}

fn answered(trace: &Trace, response: &Response) {
    let status = response.status();
    trace.attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        trace.fail(response.extensions().get::<Problem>().map_or(status.as_str(), |problem| problem.code));
    }
    trace.end();
}

/// The trace that the gateway put the request in, also where no spans are made.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("traceparent")?.to_str().ok()?.get(3..35)?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| id.to_owned())
}

/// One line for each answer. Those that only services and probes ask for would drown the others.
fn log(span: &tracing::Span, method: &Method, path: &str, status: StatusCode, took: Duration) {
    let (status, elapsed_us) = (status.as_u16(), took.as_micros() as u64);
    let _inside = span.enter();
    if is_quiet(path) {
        tracing::debug!(%method, path, status, elapsed_us, "answered");
    } else {
        tracing::info!(%method, path, status, elapsed_us, "answered");
    }
}

/// Counts and times requests by route, never by raw path: that would let a client mint metrics.
async fn measure(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let started = Instant::now();
    let response = next.run(request).await;
    metrics.observe(&method, &route, response.status(), started.elapsed());
    response
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Problem::unavailable("timeout", "The request took too long and was given up.", 1).into_response()
        }
    }
}

/// Writes the problem document of an answer that failed, whoever made it fail.
fn render(mut response: Response, path: &str, correlation: &Correlation) -> Response {
    if let Ok(id) = HeaderValue::from_str(&correlation.id) {
        response.headers_mut().insert(correlation::HEADER, id);
    }
    let status = response.status();
    // A report of its own, such as that of readiness, stays as it is.
    let is_report = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        // SCIM has errors of its own form (RFC 7644, section 3.12), as the token endpoint has.
        value == "application/json" || value == "application/scim+json"
    });
    if is_report || !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| of_framework(status));
    let document = serde_json::to_vec(&problem.document(path, &correlation.id)).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Response::from_parts(parts, Body::from(document))
}

/// The problem for an answer that axum made by itself.
fn of_framework(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => {
            Problem::new(kernel::Kind::NotFound, "unknown_path", "There is nothing at this path.")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::with_status(status, "method_not_allowed", "This path does not take this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => super::extract::body_problem(status),
        status if status.is_server_error() => {
            let problem = Problem::internal(&format!("the framework answered {status}"));
            Problem::with_status(status, problem.code, problem.detail)
        }
        status => Problem::with_status(status, "bad_request", "The request was refused."),
    }
}
