//! Clients that do not take their answers, or do not send what they announced: nobody else waits for them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::{Gateway, Options};
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};
use crate::scripted::{Scripted, answer, at};

/// Longer than anything here takes, and shorter than the gateway's own patience with a client that does not read.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than sockets hold.
const LARGE: usize = 30_000_000;

/// A gateway before a host with one seat, with a large answer and a small one.
async fn one_seat(timeout: &str) -> (Scripted, Running) {
    let backend = Scripted::start(|path, _| {
        let body = if path == "/large" { vec![b'x'; LARGE] } else { b"small".to_vec() };
        Box::pin(std::future::ready(answer(200, &[], body)))
    })
    .await;
    let hosts = [backend.url()];
    let mut routes = file(vec![
        at(&hosts, "GET", "/large", json!({})),
        at(&hosts, "GET", "/small", json!({})),
        at(&hosts, "POST", "/small", json!({})),
    ]);
    routes["timeout"] = timeout.into();
    routes["extra_config"]["_reservas/concurrency"] = json!({"max": 1, "queue": 0});
    let running = Running::start(&routes).await;
    (backend, running)
}

async fn until_served(running: &Running) {
    let served = async { while get(&running.url("/small")).await.status != StatusCode::OK {} };
    tokio::time::timeout(PATIENCE, served).await.expect("the seat is given back");
}

#[tokio::test]
async fn an_answer_that_is_not_read_gives_its_seat_back_when_its_time_is_over() {
    let (backend, running) = one_seat("200ms").await;
    let mut client = TcpStream::connect(running.address).await.unwrap();
    client.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    backend.until_seen("/large", 1).await;
    until_served(&running).await;
}

/// Asks over HTTP/2 and makes no room for any answer.
async fn ask_and_ignore(running: &Running, path: &str) -> http::Response<hyper::body::Incoming> {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("http://x{path}")).body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer
}

#[tokio::test]
async fn a_stream_without_room_keeps_no_seat_either() {
    let (_backend, running) = one_seat("200ms").await;
    let _unread = ask_and_ignore(&running, "/large").await;
    until_served(&running).await;
}

#[tokio::test]
async fn an_answer_that_is_all_here_keeps_no_seat_however_much_time_it_has() {
    let (_backend, running) = one_seat("1h").await;
    let _unread = ask_and_ignore(&running, "/small").await;
    assert_eq!(get(&running.url("/small")).await.body, "small");
}

/// Begins a request, and waits until the gateway says that it wants the body.
async fn announce(running: &Running, path: &str, length: &str) -> TcpStream {
    let mut client = TcpStream::connect(running.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{length}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let count = client.read(&mut buffer).await.unwrap();
    assert!(buffer[..count].starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&buffer[..count]));
    client
}

#[tokio::test]
async fn a_body_that_was_announced_and_does_not_come_holds_no_seat() {
    let (backend, running) = one_seat("1h").await;
    for length in ["Content-Length: 100", "Content-Length: 1000000", "Transfer-Encoding: chunked"] {
        let _silent = announce(&running, "/small", length).await;
        assert_eq!(get(&running.url("/small")).await.body, "small", "{length}");
    }
    assert_eq!(backend.seen("/small"), 3);
    assert_eq!(ask("POST", &running.url("/small"), &[], "abc").await.body, "small");
}

#[tokio::test]
async fn one_client_has_only_so_many_calls_under_way() {
    let release = Arc::new(tokio::sync::Notify::new());
    let released = Arc::clone(&release);
    let backend = Scripted::start(move |_, _| {
        let released = Arc::clone(&released);
        Box::pin(async move {
            released.notified().await;
            answer(200, &[], "late")
        })
    })
    .await;
    let mut routes = file(vec![at(&[backend.url()], "GET", "/hang", json!({}))]);
    routes["timeout"] = "1h".into();
    routes["extra_config"]["_reservas/connections"] = json!({"max_calls_per_client": 2, "exempt": []});
    let running = Running::start(&routes).await;
    let url = running.url("/hang");
    let kept: Vec<_> = (0..2)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { get(&url).await.body })
        })
        .collect();
    backend.until_seen("/hang", 2).await;
    let refused = get(&url).await;
    assert_eq!(
        (refused.status, refused.header("retry-after"), refused.json()["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "1", Some("too_many_requests"))
    );
    release.notify_waiters();
    for call in kept {
        assert_eq!(call.await.unwrap(), "late");
    }
    release.notify_one();
    assert_eq!(get(&url).await.body, "late", "the share is given back");
}

/// What comes back when these bytes are sent and nothing more; the gateway may close before all of them are.
async fn upload(running: &Running, head: &str, rest: &str, ends: bool) -> String {
    let mut client = TcpStream::connect(running.address).await.unwrap();
    let head = format!("POST /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n");
    let _ = client.write_all([head.as_bytes(), rest.as_bytes()].concat().as_slice()).await;
    if ends {
        let _ = client.shutdown().await;
    }
    let mut reply = Vec::new();
    let _ = client.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn what_clients_do_wrong_is_not_held_against_the_backend() {
    let backend = Backend::start().await;
    let mut posted = endpoint(&backend, "POST", "/length", "/length");
    posted["timeout"] = "300ms".into();
    posted["backend"][0]["extra_config"] = json!({
        "qos/circuit-breaker": {"max_errors": 1, "timeout": 3600, "interval": 3600},
        "_reservas/health": {"max_failures": 1, "eject_for": "1h", "max_ejection": "1h"},
    });
    let gateway = Gateway::parse(&file(vec![posted]).to_string(), Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::serve(gateway.clone(), listener);
    // Both what is found before the backend is asked, and what is found while it is.
    for begun in ["", &"x".repeat(40_000)] {
        let chunk =
            if begun.is_empty() { String::new() } else { format!("{:x}\r\n{begun}\r\n", begun.len()) };
        let broken = upload(&running, "Transfer-Encoding: chunked", &format!("{chunk}zz\r\n"), false).await;
        assert!(broken.starts_with("HTTP/1.1 400") && broken.contains("incomplete_body"), "{broken}");
        let stalled = upload(&running, "Content-Length: 100000", begun, false).await;
        assert!(stalled.starts_with("HTTP/1.1 408") && stalled.contains("request_timeout"), "{stalled}");
        let cut = upload(&running, "Content-Length: 100000", begun, true).await;
        assert!(cut.is_empty() || cut.starts_with("HTTP/1.1 400"), "{cut}");
    }
    assert!(backend.seen() >= 2, "some of them reached the backend");
    for length in [3, 200_000] {
        let fine = ask("POST", &running.url("/length"), &[], &"x".repeat(length)).await;
        assert_eq!((fine.status, fine.body), (StatusCode::OK, length.to_string()));
    }
    let line = format!("gateway_backend_host_ejections_total{{host=\"{}\"}} 0", backend.url());
    assert!(gateway.metrics().contains(&line), "{}", gateway.metrics());
}

#[tokio::test]
async fn a_request_that_is_not_here_in_time_is_its_clients_fault() {
    let backend = Backend::start().await;
    let mut posted = endpoint(&backend, "POST", "/length", "/length");
    posted["backend"][0]["extra_config"] = json!({"qos/circuit-breaker": {"max_errors": 1, "timeout": 3600}});
    let mut routes = file(vec![posted]);
    routes["timeout"] = "1h".into();
    routes["read_timeout"] = "100ms".into();
    routes["extra_config"]["_reservas/connections"] = json!({"body_grace": "0s"});
    let running = Running::start(&routes).await;
    let large = "x".repeat(40_000);
    for begun in ["abc", &large, &large] {
        let late = upload(&running, "Content-Length: 100000", begun, false).await;
        assert!(late.starts_with("HTTP/1.1 408") && late.contains("request_timeout"), "{late}");
    }
    assert_eq!(ask("POST", &running.url("/length"), &[], "abc").await.body, "3");
}

#[tokio::test]
async fn a_stream_that_does_not_begin_ends_with_its_time_and_a_long_poll_has_its_own() {
    let backend = Backend::start().await;
    let streamed = |path: &str, pattern: &str, timeout: &str, stream: serde_json::Value| {
        let mut streamed = endpoint(&backend, "GET", path, pattern);
        streamed["timeout"] = timeout.into();
        streamed["extra_config"] = json!({"_reservas/stream": stream});
        streamed["backend"][0]["extra_config"] = json!({"_reservas/concurrency": {"max": 1, "queue": 1}});
        streamed
    };
    let routes = file(vec![
        streamed("/hangs", "/never", "50ms", json!({})),
        streamed("/poll", "/delayed/", "50ms", json!({"head_timeout": "1h"})),
        streamed("/hung", "/never", "50ms", json!({"head_timeout": "1h"})),
    ]);
    let running = Running::start(&routes).await;
    // The second finds its seat free again.
    for _ in 0..2 {
        let late = tokio::time::timeout(PATIENCE, get(&running.url("/hangs"))).await.expect("an answer");
        assert_eq!(
            (late.status, late.json()["code"].as_str()),
            (StatusCode::GATEWAY_TIMEOUT, Some("gateway_timeout"))
        );
    }
    assert_eq!(get(&running.url("/poll")).await.status, StatusCode::OK);
    let seen = backend.seen();
    let url = running.url("/hung");
    let hung = tokio::spawn(async move { get(&url).await.status });
    while backend.seen() == seen {
        tokio::task::yield_now().await;
    }
    let waiting = tokio::time::timeout(PATIENCE, get(&running.url("/hung"))).await.expect("an answer");
    assert_eq!(
        (waiting.status, waiting.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("overloaded")),
        "however long a poll may take, a seat is not waited for longer than the endpoint's time"
    );
    hung.abort();
}
