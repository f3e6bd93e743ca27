//! HTTP/2 without TLS (prior knowledge), and clients that abuse it.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::backend::Backend;
use crate::client::get;
use crate::gateway::Running;
use crate::passing::{endpoint, file};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// GET / of the host `x` (RFC 7541, appendix A).
const HEAD: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;

async fn connect(running: &Running) -> (SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (sender, tokio::spawn(connection))
}

fn request(path: &str) -> http::request::Builder {
    Request::builder().uri(format!("http://gateway.example{path}"))
}

#[tokio::test]
async fn many_requests_run_at_once_on_one_connection() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/x", "/delayed/")])).await;
    let (sender, _connection) = connect(&running).await;
    let asked = (0..50).map(|_| {
        let mut sender = sender.clone();
        async move {
            let request = request("/x").header("cookie", "a=1").header("cookie", "b=2");
            let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
            assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
            serde_json::from_slice::<serde_json::Value>(&answer.collect().await.unwrap().to_bytes()).unwrap()
        }
    });
    for told in join_all(asked).await {
        assert_eq!(told["headers"]["Cookie"], json!(["a=1; b=2"]));
        assert_eq!(told["headers"]["X-Forwarded-Host"], json!(["gateway.example"]));
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_but_a_busy_one_is_not() {
    let backend = Backend::start().await;
    let mut routes = file(vec![endpoint(&backend, "GET", "/x", "/delayed/")]);
    routes["idle_timeout"] = "50ms".into();
    let running = Running::start(&routes).await;
    let (mut sender, connection) = connect(&running).await;
    let answer = sender.send_request(request("/x").body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "it took longer than the connection may be idle");
    answer.collect().await.unwrap();
    let _ = connection.await.unwrap();
}

#[tokio::test]
async fn what_runs_finishes_when_the_gateway_stops() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend, "GET", "/x", "/delayed/")])).await;
    let (mut sender, connection) = connect(&running).await;
    let answer = sender.send_request(request("/x").body(Empty::new()).unwrap());
    let stop = async {
        while backend.seen() == 0 {
            tokio::task::yield_now().await;
        }
        running.stop.cancel();
    };
    let (answer, ()) = tokio::join!(answer, stop);
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let _ = connection.await.unwrap();
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Sends frames after the preface and reads until the gateway closes; gives the frames that came.
async fn abuse(running: &Running, settings: &[u8], frames: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let start = [PREFACE, &frame(SETTINGS, 0, 0, settings), frames].concat();
    // The gateway may close before all of it is sent, and then the rest of its answer can be lost.
    let _ = stream.write_all(&start).await;
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all.extend_from_slice(&buffer[..count]);
    }
    let (mut frames, mut rest) = (Vec::new(), all.as_slice());
    while rest.len() >= 9 {
        let length = usize::try_from(u32::from_be_bytes([0, rest[0], rest[1], rest[2]])).unwrap();
        frames.push((rest[3], rest.get(9..9 + length).unwrap_or_default().to_vec()));
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    frames
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection_and_nothing_else() {
    let running = Running::start(&file(vec![])).await;
    let flood: Vec<u8> = (0..2000u32)
        .flat_map(|index| {
            let stream = index * 2 + 1;
            [frame(HEADERS, 5, stream, HEAD), frame(RESET, 0, stream, &8u32.to_be_bytes())].concat()
        })
        .collect();
    let frames = abuse(&running, &[], &flood).await;
    let reason = frames.iter().find(|(kind, _)| *kind == GO_AWAY).map(|(_, payload)| payload[7]);
    assert!(
        matches!(reason, Some(0xb) | None),
        "ENHANCE_YOUR_CALM, or cut off before it could be read: {frames:?}"
    );
    assert!(frames.iter().filter(|(kind, _)| *kind == HEADERS).count() < 200);
    assert_eq!(get(&running.url("/__health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_head_without_end_ends_the_connection() {
    let running = Running::start(&file(vec![])).await;
    let mut flood = frame(HEADERS, 1, 1, HEAD);
    for _ in 0..2000 {
        // A literal field without a name that is indexed: `a: ` and 250 bytes.
        let field = [&[0, 1, b'a', 0x7f, 123][..], &[b'x'; 250]].concat();
        flood.extend(frame(CONTINUATION, 0, 1, &field));
    }
    let frames = abuse(&running, &[], &flood).await;
    assert!(frames.iter().all(|(kind, _)| *kind != HEADERS), "{frames:?}");
    assert_eq!(get(&running.url("/__health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_makes_no_room_for_its_answer_is_cut_off() {
    let mut routes = file(vec![]);
    routes["write_timeout"] = "100ms".into();
    routes["idle_timeout"] = "0s".into();
    let running = Running::start(&routes).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is zero, so no byte of a body may be sent.
    let frames = abuse(&running, &[0, 4, 0, 0, 0, 0], &frame(HEADERS, 5, 1, HEAD)).await;
    assert!(frames.iter().any(|(kind, _)| *kind == HEADERS), "the head of the answer came: {frames:?}");
    assert_eq!(get(&running.url("/__health")).await.status, StatusCode::OK);
}
