//! WebSockets through the gateway, with a real client and a real server.

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::backend::Backend;
use crate::client::get;
use crate::gateway::Running;
use crate::passing::file;

/// A server that sends back what it gets.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(stream).await else { return };
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_close() || socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

fn endpoint(host: &str, limits: Value) -> Value {
    json!({
        "endpoint": "/ws/{id}", "output_encoding": "no-op", "input_query_strings": ["*"],
        "extra_config": {"_reservas/websocket": limits},
        "backend": [{"host": [host], "url_pattern": "/{id}", "encoding": "no-op"}],
    })
}

async fn connect(running: &Running) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let url = format!("ws://{}/ws/a", running.address);
    client_async(url, stream).await.map(|(socket, _)| socket)
}

fn status(refused: Result<WebSocketStream<TcpStream>, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn messages_pass_both_ways() {
    let running = Running::start(&file(vec![endpoint(&echo().await, json!({}))])).await;
    let mut socket = connect(&running).await.unwrap();
    for text in ["hello".to_owned(), "é".repeat(100_000), String::new()] {
        socket.send(Message::text(text.clone())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    assert_eq!(get(&running.url("/ws/a")).await.status, StatusCode::UPGRADE_REQUIRED);
}

#[tokio::test]
async fn a_silent_one_is_ended() {
    let running =
        Running::start(&file(vec![endpoint(&echo().await, json!({"idle_timeout": "100ms"}))])).await;
    let mut socket = connect(&running).await.unwrap();
    assert!(!matches!(socket.next().await, Some(Ok(_))));
}

#[tokio::test]
async fn they_are_counted_and_end_with_the_gateway() {
    let running = Running::start(&file(vec![endpoint(&echo().await, json!({"max_connections": 1}))])).await;
    let socket = connect(&running).await.unwrap();
    assert_eq!(status(connect(&running).await), 503);
    drop(socket);
    let mut socket = loop {
        // The place is free once the gateway has noticed.
        if let Ok(socket) = connect(&running).await {
            break socket;
        }
    };
    running.stop.cancel();
    assert!(!matches!(socket.next().await, Some(Ok(_))));
}

#[tokio::test]
async fn who_may_not_come_in_does_not_reach_the_backend() {
    let keys = Backend::start().await;
    let mut guarded = endpoint(&echo().await, json!({}));
    guarded["extra_config"]["auth/validator"] = json!({
        "alg": "HS256", "jwk_url": format!("{}/jwk/symmetric", keys.url()), "disable_jwk_security": true,
    });
    let running = Running::start(&file(vec![guarded])).await;
    assert_eq!(status(connect(&running).await), 401);
}

#[tokio::test]
async fn a_backend_that_does_not_agree_is_passed_on() {
    let backend = Backend::start().await;
    let running = Running::start(&file(vec![endpoint(&backend.url(), json!({}))])).await;
    assert_eq!(status(connect(&running).await), 404);
}
