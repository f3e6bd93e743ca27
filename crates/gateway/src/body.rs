//! Bodies: one type for all of them, streamed both ways, and cut off at a size or a deadline.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use crate::households::Share;

/// What goes wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer, and of a request on its way to a backend.
///
/// What most bodies need is a part of it rather than a wrapper around it: a wrapper is an allocation for every request.
pub struct ResponseBody {
    source: Source,
    /// A place among the calls in flight, until the body is finished or given up.
    seat: Option<OwnedSemaphorePermit>,
    /// The client's share of them, for as long.
    share: Option<Share>,
    /// Whether its length is not told, although it is known.
    is_unsized: bool,
}

enum Source {
    /// What is known and not sent yet.
    Known(Option<Bytes>),
    Incoming(Incoming),
    Boxed(UnsyncBoxBody<Bytes, BoxError>),
}

impl ResponseBody {
    fn new(source: Source) -> Self {
        Self { source, seat: None, share: None, is_unsized: false }
    }

    /// Keeps a seat until it is finished or given up.
    #[must_use]
    pub fn seated(mut self, seat: OwnedSemaphorePermit) -> Self {
        self.seat = Some(seat);
        self
    }

    /// Keeps its client's share as long as a seat.
    #[must_use]
    pub fn shared(mut self, share: Option<Share>) -> Self {
        self.share = share;
        self
    }

    /// Gives seat and share back.
    #[must_use]
    pub fn unseated(mut self) -> Self {
        (self.seat, self.share) = (None, None);
        self
    }

    /// Keeps its length to itself, so that how it is sent does not depend on when it arrived.
    #[must_use]
    pub fn of_unknown_length(mut self) -> Self {
        self.is_unsized = true;
        self
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.source {
            Source::Known(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Incoming(inner) => Pin::new(inner).poll_frame(cx).map_err(Into::into),
            Source::Boxed(inner) => Pin::new(inner).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Known(bytes) => bytes.is_none(),
            Source::Incoming(inner) => inner.is_end_stream(),
            Source::Boxed(inner) => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Known(_) if self.is_unsized => SizeHint::default(),
            Source::Known(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Incoming(inner) => inner.size_hint(),
            Source::Boxed(inner) => inner.size_hint(),
        }
    }
}

/// No body.
pub fn empty() -> ResponseBody {
    ResponseBody::new(Source::Known(None))
}

/// A body that is known.
pub fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    ResponseBody::new(Source::Known(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
}

/// A body that a connection brings.
pub fn incoming(body: Incoming) -> ResponseBody {
    ResponseBody::new(Source::Incoming(body))
}

/// Any other body.
pub fn boxed<B>(body: B) -> ResponseBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    ResponseBody::new(Source::Boxed(body.map_err(Into::into).boxed_unsync()))
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

/// Marks an answer that may go on for ever.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

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
