//! What arrives, what goes on elsewhere, and what a collector that is away costs.

use http::{HeaderMap, HeaderValue, StatusCode};
use otlp::{Counts, Kind, Settings, Trace, Tracing};

use crate::collector::Collector;

fn settings(endpoint: String) -> Settings {
    Settings { endpoint, service: "test".into(), version: "1".into(), sample_rate: 1.0 }
}

fn with_parent(traceparent: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("traceparent"),
        HeaderValue::from_static(traceparent),
    )])
}

#[tokio::test]
async fn what_has_ended_arrives_before_the_process_stops() {
    let collector = Collector::start().await;
    let tracing = Tracing::start(settings(collector.url())).unwrap();
    let server = tracing.root("GET /a".into(), Kind::Server);
    server.attribute("http.route", "/a");
    let seen = server.scope(async { Trace::current().map(|trace| trace.traceparent()) }).await;
    assert_eq!(seen, Some(server.traceparent()));
    let client = server.child("GET /b", Kind::Client);
    client.fail("timeout");
    client.end();
    server.end();
    tracing.shutdown().await;
    let spans = collector.until(|spans| spans.len() == 2).await;
    let (client, server) = (&spans[0], &spans[1]);
    assert_eq!((client.name.as_str(), client.kind, client.failed), ("GET /b", 3, true));
    assert_eq!((&client.parent, &client.trace), (&server.id, &server.trace));
    assert_eq!((server.service.as_str(), server.kind, server.failed), ("test", 2, false));
    assert_eq!(server.attributes["http.route"], "/a");
    assert_eq!(tracing.counts(), Counts { sent: 2, dropped: 0, failed: 0 });
    // Nobody takes it any more, and that is counted.
    drop(tracing.root("late".into(), Kind::Internal));
    assert_eq!(tracing.counts().dropped, 1);
}

#[tokio::test]
async fn a_trace_that_began_elsewhere_goes_on_as_it_was_decided_there() {
    let collector = Collector::start().await;
    let never = Settings { sample_rate: 0.0, ..settings(collector.url()) };
    let tracing = Tracing::start(never).unwrap();
    let kept = with_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    tracing.receive(&kept, "kept".into(), Kind::Server).end();
    let left = with_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    let left = tracing.receive(&left, "left out".into(), Kind::Server);
    assert!(left.scope(async { Trace::current().is_none() }).await);
    let mut headers = HeaderMap::new();
    left.inject(&mut headers);
    let passed = headers["traceparent"].to_str().unwrap();
    assert!(
        passed.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && passed.ends_with("-00"),
        "{passed}"
    );
    left.end();
    // What cannot be read begins a trace, and our own rate decides.
    tracing.receive(&with_parent("00-nonsense-01"), "nobody's".into(), Kind::Server).end();
    tracing.shutdown().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(
        (spans[0].trace.as_str(), spans[0].parent.as_str()),
        ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    );
}

#[tokio::test]
async fn what_does_not_fit_and_what_is_refused_is_counted() {
    let collector = Collector::answering(StatusCode::BAD_REQUEST).await;
    let tracing = Tracing::start(settings(collector.url())).unwrap();
    // Nothing runs between these on a runtime of one thread, so the queue of 4096 overflows.
    for _ in 0..5000 {
        tracing.root("many".into(), Kind::Internal).end();
    }
    assert_eq!(tracing.counts(), Counts { sent: 0, dropped: 904, failed: 0 });
    tracing.shutdown().await;
    assert_eq!(tracing.counts(), Counts { sent: 0, dropped: 904, failed: 4096 });
}

#[tokio::test]
async fn what_cannot_be_used_is_said() {
    for (endpoint, rate, expected) in [
        ("collector:4318", 1.0, "must begin with http"),
        ("http://col lector", 1.0, "OTLP endpoint"),
        ("http://collector:4318", 1.5, "1.5 is not from 0 to 1"),
    ] {
        let error = Tracing::start(Settings { sample_rate: rate, ..settings(endpoint.into()) }).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
