//! What a connection and its requests tell each other: whether any runs, which is refused, and whose answer is not read.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::account::Leaving;
use crate::body::BoxError;
use crate::framing::Refusal;

/// The requests of a connection: with HTTP/2 several run at once.
#[derive(Debug, Default)]
pub struct Phase {
    running: AtomicUsize,
    begun: AtomicU64,
    tunnel: AtomicBool,
    refused: Mutex<Option<(u64, Refusal)>>,
    /// Streams with a part of an answer that the client has not made room for, by number, and since when.
    unread: Mutex<BTreeMap<u64, Instant>>,
    /// When the last request ended.
    ended: Mutex<Option<Instant>>,
}

impl Phase {
    /// A request begins: until the guard is dropped, the connection is not idle. Tells whether it is to be refused.
    pub fn begin(self: &Arc<Self>) -> (Busy, Option<Refusal>) {
        self.running.fetch_add(1, Ordering::AcqRel);
        let number = self.begun.fetch_add(1, Ordering::AcqRel);
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refused.filter(|(refused, _)| *refused == number).map(|(_, refusal)| refusal);
        (Busy { phase: Arc::clone(self), number }, refusal)
    }

    /// Whether a request runs.
    pub fn is_busy(&self) -> bool {
        self.running.load(Ordering::Acquire) > 0
    }

    /// How many requests have begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// The request of this number is to be refused.
    pub fn refuse(&self, refused: (u64, Refusal)) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
    }

    /// From now on the connection carries something else than requests.
    pub fn become_tunnel(&self) {
        self.tunnel.store(true, Ordering::Release);
    }

    /// Whether the connection carries something else than requests.
    pub fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Acquire)
    }

    /// Whether the client has left a part of any answer unread for longer than `limit`.
    pub fn is_unread_for(&self, limit: Duration) -> bool {
        self.unread().values().any(|since| since.elapsed() >= limit)
    }

    /// When the last request ended, if any has.
    pub fn ended(&self) -> Option<Instant> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unread(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the request when it is dropped.
#[derive(Debug)]
pub struct Busy {
    phase: Arc<Phase>,
    number: u64,
}

impl Busy {
    /// The connection that the request came on.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.phase.unread().remove(&self.number);
        *self.phase.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.phase.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer: its request runs until it is finished or given up.
///
/// On a stream of HTTP/2 a client that makes no room blocks nothing but the stream, so no write of the connection would
/// ever time out. A body that was asked for a part and is not asked again is one that the client does not read.
pub struct Answer {
    inner: Leaving,
    /// None when the request goes on without this body, as a tunnel.
    busy: Option<Busy>,
    multiplexed: bool,
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Answer {
    /// The request of `busy` runs until `inner` is dropped.
    pub fn new(inner: Leaving, busy: Option<Busy>, multiplexed: bool) -> Self {
        Self { inner, busy, multiplexed, stopped: None }
    }

    /// Ends an endless body, in good order, when `stop` is called for: it must not wait for a client that never leaves.
    #[must_use]
    pub fn until(mut self, stop: CancellationToken) -> Self {
        self.stopped = Some(Box::pin(stop.cancelled_owned()));
        self
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.stopped.as_mut().is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if self.multiplexed
            && let Some(busy) = &self.busy
        {
            let mut unread = busy.phase.unread();
            if matches!(polled, Poll::Ready(Some(Ok(_)))) {
                unread.insert(busy.number, Instant::now());
            } else {
                unread.remove(&busy.number);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // One that may be ended earlier has no length.
        if self.stopped.is_some() { SizeHint::default() } else { self.inner.size_hint() }
    }
}
