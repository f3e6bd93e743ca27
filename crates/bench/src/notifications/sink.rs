//! A mail server that costs little: it takes every mail, and tells how often and when each came.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Outcome;

/// A mail that was taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// How often.
    pub times: u32,
    /// When it was the first time.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Mails {
    by_id: HashMap<String, Taken>,
    by_booking: HashMap<Uuid, Instant>,
}

/// The server's books; the server itself is there from [`Sink::open`] to [`Sink::close`].
#[derive(Debug, Clone, Default)]
pub struct Sink(Arc<Mutex<Mails>>);

/// A server that takes connections; dropped, it takes none, and those that there are end.
#[derive(Debug)]
pub struct Open {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sink {
    /// Opens on a port, or on any that is free for 0; gives the port.
    pub async fn open(&self, port: u16) -> Outcome<(u16, Open)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let sink = self.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let sink = sink.clone();
                connections.spawn(async move { sink.converse(stream).await });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok((port, Open { task }))
    }

    /// Mails that have come, each counted once.
    pub fn count(&self) -> usize {
        self.with(|mails| mails.by_id.len())
    }

    /// Every mail that has come.
    pub fn all(&self) -> Vec<Taken> {
        self.with(|mails| mails.by_id.values().copied().collect())
    }

    /// When the first mail about a booking came.
    pub fn about(&self, booking: Uuid) -> Option<Instant> {
        self.with(|mails| mails.by_booking.get(&booking).copied())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Mails) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 bench ESMTP\r\n").await?;
        let (mut line, mut in_data) = (String::new(), false);
        let (mut id, mut booking) = (String::new(), None);
        while stream.read_line(&mut line).await? > 0 {
            let text = line.trim_end();
            if in_data && text != "." {
                if let Some(found) = text.strip_prefix("Message-ID: ") {
                    found.clone_into(&mut id);
                } else if let Some(found) = text.strip_prefix("References: <booking-") {
                    booking = found.get(..36).and_then(|found| found.parse().ok());
                }
                line.clear();
                continue;
            }
            if in_data {
                self.take(std::mem::take(&mut id), booking.take());
            }
            in_data = text == "DATA";
            let answer: &[u8] = if in_data { b"354 go on\r\n" } else { b"250 ok\r\n" };
            line.clear();
            stream.write_all(answer).await?;
        }
        Ok(())
    }

    fn take(&self, id: String, booking: Option<Uuid>) {
        let at = Instant::now();
        self.with(|mails| {
            mails.by_id.entry(id).or_insert(Taken { times: 0, at }).times += 1;
            if let Some(booking) = booking {
                mails.by_booking.entry(booking).or_insert(at);
            }
        });
    }
}
