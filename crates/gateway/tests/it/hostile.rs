//! Clients that mean harm: whatever they send is answered or cut, and others are served afterwards.

use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::client::get;
use crate::gateway::Running;
use crate::passing::{endpoint, file};

async fn exchange(running: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // The gateway may close before all of it is sent.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        reply.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&reply).into_owned()
}

async fn start() -> (Backend, Running) {
    let backend = Backend::start().await;
    let routes = file(vec![
        endpoint(&backend, "POST", "/length", "/length"),
        endpoint(&backend, "GET", "/x/{id}", "/param_forwarding/{id}"),
        endpoint(&backend, "GET", "/text", "/text"),
    ]);
    let running = Running::start(&routes).await;
    (backend, running)
}

async fn still_serves(running: &Running) {
    assert_eq!(get(&running.url("/__health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn heads_that_could_smuggle_a_request_are_refused() {
    let (backend, running) = start().await;
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X: a\r\n folded\r\nContent-Length: 3\r\n",
        "X: a\nContent-Length: 3\r\n",
        "X: a\rContent-Length: 3\r\n",
        "Content-Length: 3\n",
        " Content-Length: 3\r\n",
        "X\0: a\r\n",
    ] {
        let request = format!("POST /length HTTP/1.1\r\nHost: x\r\n{fields}\r\nabc0\r\n\r\n");
        let reply = exchange(&running, request.as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 400"), "{fields:?}: {reply}");
        assert_eq!(reply.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {reply}");
        still_serves(&running).await;
    }
    assert_eq!(backend.seen(), 0);
}

#[tokio::test]
async fn a_second_request_on_the_connection_is_looked_at_too() {
    let (backend, running) = start().await;
    let bodies = ["Content-Length: 2\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"];
    for (index, body) in bodies.into_iter().enumerate() {
        let first = format!("POST /length HTTP/1.1\r\nHost: x\r\n{body}");
        let second = "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n";
        let reply = exchange(&running, format!("{first}{second}{first}").as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        assert!(reply.contains("HTTP/1.1 400") && reply.contains("ambiguous_length"), "{reply}");
        assert_eq!(reply.matches("HTTP/1.1 ").count(), 2, "nothing after it is answered: {reply}");
        assert_eq!(backend.seen(), index + 1);
    }
}

#[tokio::test]
async fn broken_chunks_end_the_connection() {
    let (_backend, running) = start().await;
    for body in [
        "x\r\nab\r\n",
        "-2\r\nab\r\n",
        "2\nab\r\n",
        "2\r\nabc\r\n",
        "fffffffffffffffff\r\nab",
        "0x2\r\nab\r\n",
    ] {
        let request = format!(
            "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let reply = exchange(&running, request.as_bytes()).await;
        assert!(!reply.contains("HTTP/1.1 200"), "{body:?}: {reply}");
        still_serves(&running).await;
    }
}

#[tokio::test]
async fn large_heads_are_431() {
    let (_backend, running) = start().await;
    let long = format!("GET /text HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET /text HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: a\r\n".repeat(500));
    for request in [long, many] {
        let reply = exchange(&running, request.as_bytes()).await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431"), "{reply}");
        still_serves(&running).await;
    }
    let line = format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(60_000));
    let reply = exchange(&running, line.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 4"), "{reply}");
}

#[tokio::test]
async fn tricks_with_paths_reach_no_other_path() {
    let (backend, running) = start().await;
    for (path, expected) in [
        ("/x/..", "400"),
        ("/x/.", "400"),
        ("/x/%2e%2e", "400"),
        ("/x/%252e%252e", "400"),
        ("/x/%00", "400"),
        ("/x/a%0d%0aX:%20y", "400"),
        ("/x/%ff", "400"),
        ("/x/%zz", "400"),
        ("/x/a%2fb", "404"),
        ("/x/..%2f..%2ftext", "301"),
        ("/x/../text", "301"),
        ("//x//a", "301"),
        ("//evil.example/..", "404"),
        ("/x/a b", "400"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let reply = exchange(&running, request.as_bytes()).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {expected}")), "{path}: {reply}");
        let location = reply.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or("/");
        assert!(!location.starts_with("//"), "{path}: {location}");
    }
    assert_eq!(backend.seen(), 0);
    let reply =
        exchange(&running, b"GET /x/a%5c..%5cb HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(reply.contains(r#""path":"/param_forwarding/a%5C..%5Cb""#), "{reply}");
}

#[tokio::test]
async fn what_is_no_utf_8_is_refused_or_passed_on_as_it_is() {
    let (_backend, running) = start().await;
    for (request, expected) in [
        (&b"GET /\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"[..], "HTTP/1.1 400"),
        (b"GET /text?a=%ff&b=%c3%28 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200"),
        (b"GET /text HTTP/1.1\r\nHost: x\r\nX: \xff\xfe\r\nConnection: close\r\n\r\n", "HTTP/1.1 200"),
        (b"GET /text HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n", "HTTP/1.1 200"),
        (
            b"GET /text HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: \xff\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 400",
        ),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 40"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
    ] {
        let shown = String::from_utf8_lossy(request).into_owned();
        let reply = exchange(&running, request).await;
        assert!(reply.starts_with(expected), "{shown:?}: {reply}");
        still_serves(&running).await;
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_408() {
    let backend = Backend::start().await;
    let mut routes = file(vec![endpoint(&backend, "POST", "/length", "/length")]);
    routes["timeout"] = "1h".into();
    routes["extra_config"]["_reservas/connections"] =
        json!({"body_grace": "100ms", "body_min_rate": 1_000_000});
    let running = Running::start(&routes).await;
    for head in ["Content-Length: 100\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"] {
        let reply =
            exchange(&running, format!("POST /length HTTP/1.1\r\nHost: x\r\n{head}").as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
        assert!(reply.contains("request_timeout"), "{reply}");
    }
    still_serves(&running).await;
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let mut routes = file(vec![]);
    routes["extra_config"]["_reservas/connections"] = json!({"max_per_client": 3, "exempt": []});
    let running = Running::start(&routes).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /__health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut buffer = [0; 1024];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        kept.push(stream);
    }
    let request = b"GET /__health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(&running, request).await, "");
    drop(kept);
    // The places are free once the gateway has noticed.
    while exchange(&running, request).await.is_empty() {}
}

#[tokio::test]
async fn a_hundred_silent_connections_stop_nobody() {
    let running = Running::start(&file(vec![])).await;
    let mut silent = Vec::new();
    for index in 0..100 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        if index % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        }
        silent.push(stream);
    }
    still_serves(&running).await;
}
