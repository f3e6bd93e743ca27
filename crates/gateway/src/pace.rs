//! A request's body that fails when its client sends too slowly.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::account::Facts;
use crate::body::{BoxError, ResponseBody, is_caused_by, is_too_large};

/// How fast a body must arrive.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So long a client may be waited for in any case; zero turns the rule off.
    pub grace: Duration,
    /// Each second beyond it has to be earned with so many bytes.
    pub rate: u64,
    /// When all of it must be here, however fast it comes.
    pub until: Option<Instant>,
}

/// The client sent too slowly.
#[derive(Debug)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the body of the request came too slowly")
    }
}

impl std::error::Error for TooSlow {}

/// The client's body broke off: it went away, or what it sent is no body.
#[derive(Debug)]
pub struct Broken(BoxError);

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the body of the request broke off: {}", self.0)
    }
}

impl std::error::Error for Broken {}

/// Tells the client's faults apart from those of the backend that the body goes to.
fn marked(error: BoxError) -> BoxError {
    if is_too_large(error.as_ref()) { error } else { Broken(error).into() }
}

/// Whether a failure is a body that came too slowly, however deep it is wrapped.
pub fn is_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    is_caused_by::<TooSlow>(error)
}

/// A body with a pace. Only the time in which the client is waited for counts: a slow backend is not its fault.
pub struct Paced {
    inner: ResponseBody,
    pace: Pace,
    facts: Arc<Facts>,
    received: u64,
    waited: Duration,
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    /// Fails when `inner` falls behind `pace`.
    pub fn new(inner: ResponseBody, pace: Pace, facts: Arc<Facts>) -> Self {
        Self { inner, pace, facts, received: 0, waited: Duration::ZERO, since: None, sleep: None }
    }

    /// The end of the patience, when waiting begins now; `None` is never.
    fn end(&self, now: Instant) -> Option<Instant> {
        let earned = Duration::from_secs(self.received / self.pace.rate.max(1));
        let patience = || now + (self.pace.grace + earned).saturating_sub(self.waited);
        let slow = (!self.pace.grace.is_zero()).then(patience);
        slow.into_iter().chain(self.pace.until).min()
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            if let Some(since) = self.since.take() {
                self.facts.await_client(false);
                self.waited += since.elapsed();
            }
            let bytes = match &frame {
                Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
                _ => 0,
            };
            self.received += u64::try_from(bytes).unwrap_or(u64::MAX);
            return Poll::Ready(frame.map(|frame| frame.map_err(marked)));
        }
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            self.facts.await_client(true);
            let Some(end) = self.end(now) else { return Poll::Pending };
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(end),
                None => self.sleep = Some(Box::pin(tokio::time::sleep_until(end))),
            }
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
