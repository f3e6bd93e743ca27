//! A connection that is closed when its client is slow or silent, and that notices ambiguous heads.
//!
//! hyper's own head time-out also runs between requests, so that a short one would close idle connections under their
//! clients; and hyper drops `Content-Length` beside `Transfer-Encoding` before anyone can refuse both.
//! A head that arrives together with the end of the request before it is not looked at here; then what hyper does holds:
//! `Transfer-Encoding` wins, `Content-Length` is not passed on, and the connection is closed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// More of a head is not looked at; hyper refuses it at the same size.
const MAX_HEAD: usize = 64 * 1024;

/// How long a client may take; zero is for ever.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the first to the last byte of a head.
    pub head: Duration,
    /// Between requests.
    pub idle: Duration,
    /// Between the client reading two parts of an answer.
    pub write: Duration,
}

/// What the connection and its requests tell each other.
#[derive(Debug, Default)]
pub struct Phase {
    busy: AtomicBool,
    ambiguous: AtomicBool,
}

/// Ends the request when it is dropped.
pub struct Busy(Arc<Phase>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
    }
}

impl Phase {
    /// A request begins: until the guard is dropped, no time-out of the connection runs.
    pub fn begin(self: &Arc<Self>) -> Busy {
        self.busy.store(true, Ordering::Release);
        Busy(Arc::clone(self))
    }

    /// Whether the head that was just read had two lengths.
    pub fn take_ambiguous(&self) -> bool {
        self.ambiguous.swap(false, Ordering::AcqRel)
    }
}

#[derive(PartialEq, Eq)]
enum Reading {
    Idle,
    Head,
    Request,
}

/// A connection with its time-outs.
pub struct Guarded {
    stream: TcpStream,
    timeouts: Timeouts,
    phase: Arc<Phase>,
    reading: Reading,
    sleep: Option<Pin<Box<Sleep>>>,
    stalled: Option<Pin<Box<Sleep>>>,
    head: Vec<u8>,
}

impl Guarded {
    /// Around a fresh connection.
    pub fn new(stream: TcpStream, timeouts: Timeouts, phase: Arc<Phase>) -> Self {
        let mut guarded = Self {
            stream,
            timeouts,
            phase,
            reading: Reading::Request,
            sleep: None,
            stalled: None,
            head: Vec::new(),
        };
        guarded.enter(Reading::Idle);
        guarded
    }

    fn enter(&mut self, reading: Reading) {
        let timeout = match reading {
            Reading::Idle => self.timeouts.idle,
            Reading::Head => self.timeouts.head,
            Reading::Request => Duration::ZERO,
        };
        self.reading = reading;
        self.sleep =
            (!timeout.is_zero()).then(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
    }

    /// Follows the requests: one may have begun or ended since the last look.
    fn follow(&mut self) {
        let busy = self.phase.busy.load(Ordering::Acquire);
        if busy && self.reading != Reading::Request {
            self.enter(Reading::Request);
            self.head = Vec::new();
        } else if !busy && self.reading == Reading::Request {
            self.enter(Reading::Idle);
        }
    }

    /// Passes on how a write went, unless the client has not read for too long.
    fn write<T>(
        &mut self,
        wrote: Poll<std::io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<T>> {
        if wrote.is_ready() || self.timeouts.write.is_zero() {
            self.stalled = None;
            return wrote;
        }
        let timeout = self.timeouts.write;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn look(&mut self, arrived: &[u8]) {
        if self.reading == Reading::Idle && !arrived.is_empty() {
            self.enter(Reading::Head);
        }
        if self.reading != Reading::Head || self.head.len() > MAX_HEAD {
            return;
        }
        self.head.extend_from_slice(arrived);
        if let Some(end) = self.head.windows(4).position(|window| window == b"\r\n\r\n") {
            let ambiguous = has_two_lengths(self.head.get(..end).unwrap_or_default());
            self.phase.ambiguous.store(ambiguous, Ordering::Release);
            self.head = Vec::new();
        }
    }
}

fn has_two_lengths(head: &[u8]) -> bool {
    let names =
        || head.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b':').next());
    let has = |wanted: &[u8]| names().any(|name| name.trim_ascii().eq_ignore_ascii_case(wanted));
    has(b"content-length") && has(b"transfer-encoding")
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.follow();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            if self.reading != Reading::Request {
                self.look(buffer.filled().get(before..).unwrap_or_default());
            }
            return Poll::Ready(read);
        }
        match self.sleep.as_mut().map(|sleep| sleep.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())),
            _ => Poll::Pending,
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.write(wrote, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.write(wrote, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lengths_are_noticed_in_any_order_and_case() {
        assert!(has_two_lengths(b"POST / HTTP/1.1\r\ncontent-LENGTH: 3\r\nTransfer-Encoding: chunked"));
        assert!(has_two_lengths(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3"));
        assert!(!has_two_lengths(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nX: transfer-encoding"));
    }
}
