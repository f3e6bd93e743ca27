//! Clients that do not take their answers, or do not send what they announced: nobody else waits for them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::get;
use crate::gateway::Running;
use crate::passing::file;
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
    let mut routes =
        file(vec![at(&hosts, "GET", "/large", json!({})), at(&hosts, "GET", "/small", json!({}))]);
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
