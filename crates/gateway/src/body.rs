//! Bodies: boxed, streamed both ways, and cut off at a size or a deadline.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, Limited};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What goes wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer, and of a request on its way to a backend.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// No body.
pub fn empty() -> ResponseBody {
    Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A body that is known.
pub fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// Any body, boxed.
pub fn boxed<B>(body: B) -> ResponseBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// A body that fails once it is larger than `limit` bytes.
pub fn limited<B>(body: B, limit: u64) -> ResponseBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    boxed(Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX)))
}

/// Whether a failure came from [`limited`], however deep it is wrapped.
pub fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    is_caused_by::<http_body_util::LengthLimitError>(error)
}

/// Whether a failure is an `E` or is caused by one, however deep it is wrapped.
pub fn is_caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<E>())
}

/// A body whose length is not announced, so that it is sent in chunks.
pub struct Unsized(pub ResponseBody);

impl Body for Unsized {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// A body that fails when it is not finished at the deadline.
pub struct Deadlined {
    inner: ResponseBody,
    sleep: Pin<Box<Sleep>>,
}

impl Deadlined {
    /// Cuts `inner` off at `deadline`.
    pub fn new(inner: ResponseBody, deadline: Instant) -> Self {
        Self { inner, sleep: Box::pin(tokio::time::sleep_until(deadline)) }
    }
}

impl Body for Deadlined {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(self.sleep.as_mut().poll(cx));
        Poll::Ready(Some(Err("the deadline of the endpoint passed".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Marks an answer that may go on for ever.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// An endless body that ends, in good order, when the gateway stops: it must not wait for a client that never leaves.
pub struct Until {
    inner: ResponseBody,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Until {
    /// Ends `inner` when `stop` is called for.
    pub fn new(inner: ResponseBody, stop: CancellationToken) -> Self {
        Self { inner, stopped: Box::pin(stop.cancelled_owned()) }
    }
}

impl Body for Until {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// A body that keeps something alive until it is finished or given up.
pub struct Held<T> {
    inner: ResponseBody,
    _held: T,
}

impl<T> Held<T> {
    /// Keeps `held` until `inner` is dropped.
    pub fn new(inner: ResponseBody, held: T) -> Self {
        Self { inner, _held: held }
    }
}

impl<T: Unpin> Body for Held<T> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that goes on from what was read of it.
pub struct Prefixed {
    read: Option<Bytes>,
    rest: ResponseBody,
}

impl Prefixed {
    /// `read`, then `rest`.
    pub fn new(read: Bytes, rest: ResponseBody) -> Self {
        Self { read: Some(read), rest }
    }
}

impl Body for Prefixed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }
}
