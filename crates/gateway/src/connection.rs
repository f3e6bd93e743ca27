//! A connection that is closed when its client is slow or silent, and that looks at every head.
//!
//! hyper's own head time-out also runs between requests, so that a short one would close idle connections under their
//! clients; and hyper drops `Content-Length` beside `Transfer-Encoding` before anyone can refuse both.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::config::Root;
use crate::framing::Framing;
use crate::phase::Phase;
use crate::places::Place;

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

impl Timeouts {
    /// Those of a route file.
    pub fn of(root: &Root) -> Self {
        Self { head: root.read_header_timeout, idle: root.idle_timeout, write: root.write_timeout }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Idle,
    Head,
    Request,
}

/// A connection with its time-outs.
pub struct Guarded<S> {
    stream: S,
    timeouts: Timeouts,
    phase: Arc<Phase>,
    framing: Framing,
    /// What the time runs for, and how many requests had begun then.
    reading: Option<(Reading, u64)>,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Given back when the connection is dropped, also when it became a tunnel.
    _place: Place,
}

impl<S> Guarded<S> {
    /// Around a fresh connection.
    pub fn new(stream: S, timeouts: Timeouts, phase: Arc<Phase>, place: Place) -> Self {
        Self {
            stream,
            timeouts,
            phase,
            framing: Framing::new(),
            reading: None,
            sleep: None,
            armed: false,
            stalled: None,
            _place: place,
        }
    }

    /// Follows the requests: one may have begun or ended since the last look.
    fn follow(&mut self) {
        let reading = if self.phase.is_busy() || self.phase.is_tunnel() {
            Reading::Request
        } else if self.framing.is_in_head() {
            Reading::Head
        } else {
            Reading::Idle
        };
        let now = Some((reading, self.phase.begun()));
        if self.reading == now {
            return;
        }
        self.reading = now;
        let now = Instant::now();
        match reading {
            Reading::Idle => self.arm(self.phase.ended().unwrap_or(now), self.timeouts.idle),
            Reading::Head => self.arm(now, self.timeouts.head),
            Reading::Request => self.arm(now, self.look_again()),
        }
    }

    /// How long to wait while requests run before looking again: hyper does not read when the last one has ended, so
    /// that nothing else would begin the time of an idle connection.
    fn look_again(&self) -> Duration {
        let write = if self.framing.is_multiplexed() { self.timeouts.write } else { Duration::ZERO };
        [write, self.timeouts.idle].into_iter().filter(|timeout| !timeout.is_zero()).min().unwrap_or_default()
    }

    fn arm(&mut self, from: Instant, timeout: Duration) {
        self.armed = !timeout.is_zero();
        if !self.armed {
            return;
        }
        let end = from + timeout;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(end),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(end))),
        }
    }

    /// Whether the time is over.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        while self.armed
            && let Some(sleep) = &mut self.sleep
            && sleep.as_mut().poll(cx).is_ready()
        {
            let runs = self.reading.is_some_and(|(reading, _)| reading == Reading::Request);
            let write = self.timeouts.write;
            if !runs || !write.is_zero() && self.phase.is_unread_for(write) {
                return true;
            }
            self.arm(Instant::now(), self.look_again());
        }
        false
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
        if self.phase.is_tunnel() {
            return self.framing.stop();
        }
        self.framing.feed(arrived);
        if let Some(refused) = self.framing.refused() {
            self.phase.refuse(refused);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            self.look(buffer.filled().get(before..).unwrap_or_default());
            return Poll::Ready(read);
        }
        self.follow();
        if self.is_late(cx) { Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.write(wrote, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.write(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.write(shut, cx)
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
