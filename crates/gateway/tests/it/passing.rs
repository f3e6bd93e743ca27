//! `no-op`: what passes, what does not, and what is added on the way.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::{Gateway, Options};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;

/// A `no-op` endpoint of one backend.
pub fn endpoint(backend: &Backend, method: &str, path: &str, pattern: &str) -> Value {
    json!({
        "endpoint": path, "method": method, "output_encoding": "no-op",
        "input_headers": ["*"], "input_query_strings": ["*"],
        "backend": [{"host": [backend.url()], "url_pattern": pattern, "encoding": "no-op"}],
    })
}

/// A file with these endpoints, a log and problems.
pub fn file(endpoints: Vec<Value>) -> Value {
    json!({
        "version": 3, "timeout": "5s",
        "extra_config": {"_reservas/log": {}, "_reservas/errors": {"format": "problem"}},
        "endpoints": endpoints,
    })
}

#[tokio::test]
async fn status_headers_and_body_pass_but_not_those_of_the_connection() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/hop", "/hop")])).await;
    let reply = get(&running.url("/hop")).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(reply.header("x-kept"), "1");
    for gone in ["x-secret", "keep-alive", "connection"] {
        assert_eq!(reply.header(gone), "", "{gone}");
    }
}

#[tokio::test]
async fn the_backend_is_told_who_asked_and_not_lied_to() {
    let backend = Backend::start().await;
    let running =
        Running::start(&file(vec![endpoint(&backend, "GET", "/echo/{id}", "/param_forwarding/{id}")])).await;
    let lies = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil"),
        ("connection", "x-drop"),
        ("x-drop", "1"),
        ("x-correlation-id", "my.id-1"),
    ];
    let reply = ask("GET", &running.url("/echo/a%20b?z=1&a=%26x"), &lies, "").await;
    assert_eq!(reply.status, StatusCode::OK, "the backend insists on a loopback address");
    let told = reply.json();
    assert_eq!(told["path"], "/param_forwarding/a%20b");
    assert_eq!(told["query"], json!({"a": ["&x"], "z": ["1"]}));
    assert_eq!(told["headers"]["X-Forwarded-Host"], json!([running.address.to_string()]));
    assert_eq!(told["headers"]["X-Correlation-Id"], json!(["my.id-1"]));
    assert_eq!(told["headers"]["User-Agent"], json!(["Go-http-client/1.1"]));
    assert!(told["headers"]["Traceparent"][0].as_str().unwrap().starts_with("00-"));
    assert!(told["headers"].get("X-Drop").is_none());
    assert_eq!(reply.header("x-correlation-id"), "my.id-1");
}

#[tokio::test]
async fn a_correlation_id_is_made_when_absent_and_refused_when_not_plain() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/echo", "/param_forwarding/")])).await;
    let made = get(&running.url("/echo")).await;
    assert_eq!(made.json()["headers"]["X-Correlation-Id"][0], made.header("x-correlation-id"));
    let refused = ask("GET", &running.url("/echo"), &[("x-correlation-id", "a b")], "").await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_correlation_id"))
    );
}

#[tokio::test]
async fn encoded_parameters_are_refused() {
    let backend = Backend::start().await;
    let running = Running::start(&json!({
        "version": 3, "endpoints": [endpoint(&backend, "GET", "/e/{id}", "/param_forwarding/{id}")]
    }))
    .await;
    for path in ["/e/%252e%252e", "/e/a%3Fb", "/e/a%23b", "/e/%2e%2e"] {
        let reply = get(&running.url(path)).await;
        assert_eq!(reply.status.as_u16() / 100, 4, "{path}");
    }
    let reply = get(&running.url("/e/%2541")).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::BAD_REQUEST, "error: encoded url params"));
    assert_eq!(backend.seen(), 0);
}

#[tokio::test]
async fn what_arrives_compressed_leaves_plain_unless_the_client_asked_for_it() {
    let backend = Backend::start().await;
    let mut plain = endpoint(&backend, "GET", "/plain", "/gzip");
    plain["input_headers"] = json!([]);
    let running = Running::start(&file(vec![plain, endpoint(&backend, "GET", "/packed", "/gzip")])).await;
    let reply = get(&running.url("/plain")).await;
    assert_eq!((reply.header("content-encoding"), reply.body.as_str()), ("", r#"{"compressed":true}"#));
    assert_eq!(get(&running.url("/packed")).await.header("content-encoding"), "gzip");
}

/// The client sends the second half only after the backend's answer to the first began to arrive.
#[tokio::test]
async fn bodies_stream_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| async move {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        });
        hyper::server::conn::http1::Builder::new()
            .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
            .await
            .unwrap();
    });
    let mut echo = json!({
        "endpoint": "/echo", "method": "POST", "output_encoding": "no-op",
        "backend": [{"host": [format!("http://{address}")], "url_pattern": "/", "encoding": "no-op"}],
    });
    echo["extra_config"] = json!({"_reservas/stream": {}});
    let running = Running::start(&file(vec![echo])).await;
    let (sender, chunks) = tokio::sync::mpsc::channel::<Bytes>(1);
    let stream = futures_util::stream::unfold(chunks, |mut chunks| async {
        chunks.recv().await.map(|chunk| (chunk, chunks))
    });
    let body = StreamBody::new(Box::pin(stream.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)))));
    sender.send(Bytes::from_static(b"first")).await.unwrap();
    let request = Request::post(running.url("/echo")).body(body).unwrap();
    let mut reply =
        Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap().into_body();
    assert_eq!(reply.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
    sender.send(Bytes::from_static(b"second")).await.unwrap();
    drop(sender);
    assert_eq!(reply.collect().await.unwrap().to_bytes(), "second");
}

#[tokio::test]
async fn large_bodies_are_refused_announced_or_not() {
    let backend = Backend::start().await;
    let mut small = endpoint(&backend, "POST", "/length", "/length");
    small["extra_config"] = json!({"_reservas/max_payload": 10});
    let running = Running::start(&file(vec![small])).await;
    assert_eq!(ask("POST", &running.url("/length"), &[], "0123456789").await.body, "10");
    let announced = ask("POST", &running.url("/length"), &[], "0123456789a").await;
    assert_eq!(
        (announced.status, announced.json()["code"].as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, Some("payload_too_large"))
    );
    let chunks = futures_util::stream::iter(vec![Bytes::from_static(b"012345"); 3]);
    let body = StreamBody::new(chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk))));
    let request = Request::post(running.url("/length")).body(body).unwrap();
    let reply = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn reading_goes_on_while_writing_is_off() {
    let backend = Backend::start().await;
    let mut routes = file(vec![
        endpoint(&backend, "GET", "/thing", "/created"),
        endpoint(&backend, "POST", "/thing", "/created"),
    ]);
    routes["extra_config"]["_reservas/read_only"] = json!({"retry_after": 7});
    let running = Running::start(&routes).await;
    assert_eq!(get(&running.url("/thing")).await.status, StatusCode::CREATED);
    let refused = ask("POST", &running.url("/thing"), &[], "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "7"));
    assert_eq!(refused.json()["code"], "read_only");
}

#[tokio::test]
async fn a_service_in_the_same_process_answers_its_paths() {
    let service = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let (parts, body) = request.into_parts();
        let told = format!("{} {}", parts.uri, body.collect().await.unwrap().to_bytes().len());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(told))))
    });
    let text = json!({"version": 3, "endpoints": []}).to_string();
    let gateway = Gateway::parse(&text, Options::default()).unwrap().with_local(&["/api/docs"], service);
    let running = Running::serve(gateway, TcpListener::bind("127.0.0.1:0").await.unwrap());
    assert_eq!(get(&running.url("/api/docs/x?y=1")).await.body, "/api/docs/x?y=1 0");
    assert_eq!(get(&running.url("/api/docs")).await.body, "/api/docs 0");
    assert_eq!(get(&running.url("/api/docsx")).await.status, StatusCode::NOT_FOUND);
    let health = get(&running.url("/__health")).await.json();
    assert_eq!(
        (health["status"].as_str(), health["agents"].as_object().map(serde_json::Map::len)),
        (Some("ok"), Some(0))
    );
}

#[tokio::test]
async fn what_runs_is_finished_at_the_end() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/slow", "/delayed/")])).await;
    let url = running.url("/slow");
    let slow = tokio::spawn(async move { get(&url).await });
    while backend.seen() == 0 {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert!(tokio::net::TcpStream::connect(running.address).await.is_err());
}
