//! Answers on their way to clients, compressed; and answers of backends that are compressed too well.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use gateway::boxed;
use http::{Request, Response, StatusCode, response::Parts};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::client::get;
use crate::gateway::Running;
use crate::passing::file;
use crate::scripted::{Scripted, answer, at};

async fn fetch(url: &str, headers: &[(&str, &str)]) -> (Parts, Bytes) {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    (parts, body.collect().await.unwrap().to_bytes())
}

fn header<'p>(parts: &'p Parts, name: &str) -> &'p str {
    parts.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn long() -> String {
    json!({"items": (0..500).collect::<Vec<_>>()}).to_string()
}

async fn start(compression: serde_json::Value) -> (Scripted, Running) {
    let backend = Scripted::start(|path, _| {
        let json = ("content-type", "application/json; charset=utf-8");
        Box::pin(std::future::ready(match path {
            "/long" => answer(200, &[json, ("etag", "\"5\"")], long()),
            "/short" => answer(200, &[json], "{}"),
            "/image" => answer(200, &[("content-type", "image/png")], long()),
            "/as-it-is" => answer(200, &[json, ("cache-control", "no-transform")], long()),
            "/events" => answer(200, &[("content-type", "text/event-stream")], long()),
            _ => answer(404, &[], ""),
        }))
    })
    .await;
    let paths = ["/long", "/short", "/image", "/as-it-is", "/events"];
    let mut routes = file(paths.map(|path| at(&[backend.url()], "GET", path, json!({}))).to_vec());
    routes["extra_config"]["_reservas/compression"] = compression;
    (backend, Running::start(&routes).await)
}

#[tokio::test]
async fn the_client_chooses_and_caches_between_are_told() {
    let (backend, running) = start(json!({})).await;
    let (parts, bytes) = fetch(&running.url("/long"), &[("accept-encoding", "gzip, br;q=0.5")]).await;
    assert_eq!((header(&parts, "content-encoding"), header(&parts, "etag")), ("gzip", "W/\"5\""));
    assert_eq!((header(&parts, "vary"), header(&parts, "content-length")), ("Accept-Encoding", ""));
    assert_eq!(gunzip(&bytes), long());
    assert!(bytes.len() < long().len() / 2, "{}", bytes.len());

    let (parts, bytes) = fetch(&running.url("/long"), &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(header(&parts, "content-encoding"), "br");
    let mut plain = String::new();
    brotli::Decompressor::new(bytes.as_ref(), 4096).read_to_string(&mut plain).unwrap();
    assert_eq!(plain, long());

    let (parts, bytes) = fetch(&running.url("/long"), &[("if-match", "W/\"5\"")]).await;
    assert_eq!((header(&parts, "content-encoding"), header(&parts, "etag")), ("", "\"5\""));
    assert_eq!((header(&parts, "vary"), bytes), ("Accept-Encoding", Bytes::from(long())));
    assert_eq!(backend.last()["if-match"], "\"5\"", "the backend gets its own tag back");
}

#[tokio::test]
async fn what_gains_nothing_or_must_not_be_changed_stays() {
    let (_backend, running) = start(json!({"min_size": 100})).await;
    for path in ["/short", "/image", "/as-it-is", "/events"] {
        let (parts, _) = fetch(&running.url(path), &[("accept-encoding", "gzip")]).await;
        assert_eq!((header(&parts, "content-encoding"), header(&parts, "vary")), ("", ""), "{path}");
    }
    let (_backend, running) = start(json!({"enabled": false})).await;
    let (parts, _) = fetch(&running.url("/long"), &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&parts, "content-encoding"), "");
}

/// The backend sends the second half only after the client could read the first.
#[tokio::test]
async fn nothing_is_held_back_while_it_streams() {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let backend = Scripted::start(move |_, _| {
        let receiver = receiver.lock().unwrap().take().unwrap();
        let chunks = futures_util::stream::unfold(receiver, |mut receiver| async {
            let chunk = receiver.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(Frame::data(chunk)), receiver))
        });
        let mut answer = Response::new(boxed(StreamBody::new(Box::pin(chunks))));
        answer.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        Box::pin(std::future::ready(answer))
    })
    .await;
    let mut routes = file(vec![at(&[backend.url()], "GET", "/x", json!({}))]);
    routes["extra_config"]["_reservas/compression"] = json!({});
    let running = Running::start(&routes).await;
    sender.send(Bytes::from_static(b"first")).await.unwrap();
    let request = Request::get(running.url("/x")).header("accept-encoding", "gzip");
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut body = client.request(request).await.unwrap().into_body();
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    while decoder.get_ref() != b"first" {
        let frame = body.frame().await.unwrap().unwrap();
        decoder.write_all(&frame.into_data().unwrap()).unwrap();
        decoder.flush().unwrap();
    }
    sender.send(Bytes::from_static(b" second")).await.unwrap();
    drop(sender);
    decoder.write_all(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(decoder.finish().unwrap(), b"first second");
}

#[tokio::test]
async fn a_bomb_of_a_backend_is_cut() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"{\"a\":\"").unwrap();
    for _ in 0..16 {
        encoder.write_all(&vec![b'0'; 1024 * 1024]).unwrap();
    }
    encoder.write_all(b"\"}").unwrap();
    let bomb = Bytes::from(encoder.finish().unwrap());
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let backend = Scripted::start(move |_, _| {
        Box::pin(std::future::ready(answer(200, &[("content-encoding", "gzip")], bomb.clone())))
    })
    .await;
    let mut streamed = at(&[backend.url()], "GET", "/streamed", json!({}));
    streamed["input_headers"] = json!([]);
    let merged = |path: &str, headers: serde_json::Value| {
        json!({"endpoint": path, "input_headers": headers,
               "backend": [{"host": [backend.url()], "url_pattern": "/merged"}]})
    };
    let mut routes =
        file(vec![streamed, merged("/merged", json!([])), merged("/asked", json!(["Accept-Encoding"]))]);
    routes["extra_config"]["_reservas/errors"] = json!({"format": "krakend"});
    routes["extra_config"]["router"] = json!({"return_error_msg": true});
    let running = Running::start(&routes).await;
    for path in ["/merged", "/asked"] {
        let reply = get(&running.url(path)).await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(reply.body.contains("becomes too large"), "{}", reply.body);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(running.url("/streamed")).body(Full::<Bytes>::default()).unwrap();
    // The connection ends before or after the head has left, but never as if the answer were whole.
    if let Ok(reply) = client.request(request).await {
        assert!(reply.into_body().collect().await.is_err());
    }
}
