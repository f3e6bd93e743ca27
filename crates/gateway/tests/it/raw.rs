//! What only a socket can say: ambiguous lengths, slow heads, idle connections.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::gateway::Running;
use crate::passing::{endpoint, file};

async fn exchange(running: &Running, text: &str) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

#[tokio::test]
async fn two_lengths_are_refused_in_any_order() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "POST", "/length", "/length")])).await;
    let lengths = ["Content-Length: 3", "Transfer-Encoding: chunked"];
    for order in [[0, 1], [1, 0]] {
        let head = format!(
            "POST /length HTTP/1.1\r\nHost: x\r\n{}\r\n{}\r\n\r\n",
            lengths[order[0]], lengths[order[1]]
        );
        let reply = exchange(&running, &format!("{head}0\r\n\r\n")).await;
        assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
        assert!(reply.contains("ambiguous_length"), "{reply}");
    }
    assert_eq!(backend.seen(), 0);
}

#[tokio::test]
async fn a_slow_head_is_cut_off_but_an_idle_connection_is_not() {
    let backend = Backend::start().await;
    let mut routes = file(vec![endpoint(&backend, "GET", "/x", "/param_forwarding/")]);
    routes["read_header_timeout"] = "100ms".into();
    let running = Running::start(&routes).await;
    assert_eq!(exchange(&running, "GET /x HTTP/1.1\r\nHost: x\r\n").await, "");
    let mut kept = TcpStream::connect(running.address).await.unwrap();
    let request = "GET /__health HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..2 {
        kept.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = [0; 4096];
        let count = kept.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..count]).starts_with("HTTP/1.1 200"));
        // Another connection's head times out meanwhile, so the time is over for this one too.
        assert_eq!(exchange(&running, "GET /x HTTP/1.1\r\n").await, "");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_when_the_file_says_so() {
    let mut routes = file(vec![]);
    routes["idle_timeout"] = "50ms".into();
    let running = Running::start(&routes).await;
    assert_eq!(exchange(&running, "").await, "");
    let reply = exchange(&running, "GET /__health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/x", "/param_forwarding/")])).await;
    for hosts in ["", "Host: a\r\nHost: b\r\n", "X-Forwarded-Host: evil\r\n"] {
        let reply = exchange(&running, &format!("GET /x HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
        assert!(reply.starts_with("HTTP/1.1 400") && reply.contains("invalid_host"), "{reply}");
    }
    assert_eq!(backend.seen(), 0);
    let reply = exchange(&running, "GET /x HTTP/1.0\r\n\r\n").await;
    assert!(reply.contains(" 200 "), "{reply}");
}
