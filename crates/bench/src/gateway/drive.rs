//! Load that costs next to nothing: connections that write a request that stands ready and read the answer.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::Outcome;
use crate::table::Times;

/// How to ask.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Connections.
    pub connections: usize,
    /// Requests a second over all connections; absent, each asks as soon as it has its answer.
    pub rate: Option<f64>,
    /// For how long.
    pub time: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Told {
    /// How long each answer took.
    pub times: Times,
    /// How many answers of each status.
    pub statuses: BTreeMap<u16, usize>,
    /// How long it went on.
    pub took: Duration,
}

impl Told {
    /// What was not answered with 200, in words.
    pub fn odd(&self) -> Option<String> {
        let odd: Vec<String> = self
            .statuses
            .iter()
            .filter(|(status, _)| **status != 200)
            .map(|(status, count)| format!("{count} × {status}"))
            .collect();
        (!odd.is_empty()).then(|| odd.join(", "))
    }
}

/// A GET, as bytes.
pub fn get(path: &str, token: Option<&str>) -> Arc<[u8]> {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n{token}\r\n").into_bytes().into()
}

/// A connection to a port on loopback.
pub async fn connect(port: u16) -> Outcome<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks at a pace.
pub async fn drive(port: u16, request: &Arc<[u8]>, pace: Pace) -> Outcome<Told> {
    let mut streams = Vec::new();
    for _ in 0..pace.connections {
        streams.push(connect(port).await?);
    }
    let start = Instant::now();
    let tasks = streams.into_iter().enumerate().map(|(place, stream)| {
        let every = pace.rate.map(|rate| Duration::from_secs_f64(pace.connections as f64 / rate));
        let offset =
            every.map_or(Duration::ZERO, |every| every.mul_f64(place as f64 / pace.connections as f64));
        let plan = Plan { first: start + offset, every, end: start + pace.time };
        tokio::spawn(one(stream, Arc::clone(request), plan))
    });
    let mut told = Told::default();
    let mut times = Vec::new();
    for part in try_join_all(tasks).await? {
        for (status, took) in part? {
            *told.statuses.entry(status).or_default() += 1;
            times.push(took);
        }
    }
    told.took = start.elapsed();
    told.times = times.into();
    Ok(told)
}

struct Plan {
    first: Instant,
    every: Option<Duration>,
    end: Instant,
}

async fn one(mut stream: TcpStream, request: Arc<[u8]>, plan: Plan) -> Outcome<Vec<(u16, Duration)>> {
    let (mut answers, mut buffer, mut due) = (Vec::new(), Vec::with_capacity(8192), plan.first);
    while Instant::now().max(due) < plan.end {
        let mut sent = Instant::now();
        if plan.every.is_some() {
            if sent < due {
                // The timer's own tardiness is not the server's.
                sleep_until(due).await;
                sent = Instant::now();
            } else {
                // An answer that made the next request late counts for that one too.
                sent = due;
            }
        }
        let status = ask(&mut stream, &request, &mut buffer).await?;
        answers.push((status, sent.elapsed()));
        due += plan.every.unwrap_or_default();
    }
    Ok(answers)
}

/// Asks once, and gives the status.
pub async fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Outcome<u16> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the connection was closed before the answer".into());
        }
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).to_lowercase();
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.ok_or("an answer without Content-Length")?.trim().parse()?;
        if buffer.len() >= end + 4 + length {
            return Ok(head.get(9..12).unwrap_or_default().parse()?);
        }
    }
}
