//! A backend that costs next to nothing: it reads a head and writes an answer that stands ready.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream, copy, sink};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;

/// What it tells of: 300 bytes, as a small answer of the product has.
const BODY: &str = r#"{"id":"01936f3e-7c4a-7d2e-9f10-2b6c8d4e5f60","name":"Meeting room 4.12","location":["Site 1","Floor 4"],"capacity":12,"attributes":{"display":true,"whiteboard":true,"accessible":true},"time_zone":"Europe/Lisbon","status":"active","version":7,"updated_at":"2026-11-24T09:30:00Z","tags":["quiet","video"]}"#;

/// Starts one on a free port, which it gives.
pub async fn start() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let turn = Arc::new(AtomicU64::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&turn)));
        }
    });
    Ok(port)
}

/// Starts a collector of traces on a free port, which it gives: it reads what it is sent and keeps nothing.
pub async fn collector() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(collect(stream));
        }
    });
    Ok(port)
}

async fn collect(stream: TcpStream) -> std::io::Result<()> {
    let (mut stream, mut line, mut length) = (BufStream::new(stream), String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            copy(&mut (&mut stream).take(length), &mut sink()).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
            stream.flush().await?;
        }
    }
}

fn ready(status: &str, extra: &str) -> Vec<u8> {
    let length = BODY.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{extra}\r\n"
    );
    format!("{head}{BODY}").into_bytes()
}

/// `/failing` fails one time in ten, `/hanging` never answers, `/cached` may be kept; all else is answered at once.
async fn answer(mut stream: TcpStream, turn: Arc<AtomicU64>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (plain, failed) = (ready("200 OK", ""), ready("500 Internal Server Error", ""));
    let cached = ready("200 OK", "cache-control: public, max-age=600\r\n");
    let mut head = Vec::with_capacity(4096);
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let path = head.strip_prefix(b"GET ").unwrap_or_default();
        if path.starts_with(b"/hanging") {
            // Until the gateway gives up.
            while stream.read_buf(&mut head).await? != 0 {}
            return Ok(());
        }
        let fails = path.starts_with(b"/failing") && turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(10);
        let reply = if fails {
            &failed
        } else if path.starts_with(b"/cached") {
            &cached
        } else {
            &plain
        };
        stream.write_all(reply).await?;
    }
}
