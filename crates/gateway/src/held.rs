//! An answer on its way to its client: what has arrived lets its backend go, and what has not is cut when its time is over.
//!
//! A body acts only when it is asked for its next part, and that of a client who does not read is not asked. So the end
//! of its time must not depend on that: a few such clients would keep all seats of a host.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::body::{self, BoxError, ResponseBody};

type Part = Result<Frame<Bytes>, BoxError>;

/// The same body, without its seat when all of it is here, and otherwise with an end to its time.
///
/// Most answers arrive with their head; they need neither a timer nor a task.
pub async fn until(mut body: ResponseBody, deadline: Instant) -> ResponseBody {
    if body.is_end_stream() {
        return body.unseated();
    }
    let sized = body.size_hint().exact().is_some();
    match poll_fn(|cx| Poll::Ready(arrived(&mut body, cx))).await {
        Arrived::Whole(bytes) if sized => body::full(bytes),
        Arrived::Whole(bytes) => body::full(bytes).of_unknown_length(),
        Arrived::Part(ahead) => body::boxed(Held::new(ahead, body, deadline)),
    }
}

/// How much of a body is here.
enum Arrived {
    Whole(Bytes),
    Part(VecDeque<Part>),
}

fn arrived(body: &mut ResponseBody, cx: &mut Context<'_>) -> Arrived {
    let bytes = match Pin::new(&mut *body).poll_frame(cx) {
        Poll::Pending => return Arrived::Part(VecDeque::new()),
        Poll::Ready(None) => return Arrived::Whole(Bytes::new()),
        Poll::Ready(Some(Err(error))) => return Arrived::Part(VecDeque::from([Err(error)])),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(bytes) => bytes,
            Err(trailers) => return Arrived::Part(VecDeque::from([Ok(trailers)])),
        },
    };
    if body.is_end_stream() {
        return Arrived::Whole(bytes);
    }
    // The end of a body of unknown length is a part of its own.
    match Pin::new(body).poll_frame(cx) {
        Poll::Pending => Arrived::Part(VecDeque::from([Ok(Frame::data(bytes))])),
        Poll::Ready(None) => Arrived::Whole(bytes),
        Poll::Ready(Some(next)) => Arrived::Part(VecDeque::from([Ok(Frame::data(bytes)), next])),
    }
}

/// A body that a timer can take away.
struct Held {
    state: Arc<Mutex<State>>,
    timer: AbortHandle,
}

struct State {
    /// What was read of it to see whether it is all here.
    ahead: VecDeque<Part>,
    /// The rest, with its seat; gone when it is finished or cut.
    rest: Option<ResponseBody>,
    cut: bool,
    reader: Option<Waker>,
}

impl Held {
    fn new(ahead: VecDeque<Part>, rest: ResponseBody, deadline: Instant) -> Self {
        let state = State { ahead, rest: Some(rest), cut: false, reader: None };
        let state = Arc::new(Mutex::new(state));
        // Not kept alive by its timer: a body that is given up goes at once.
        let timed = Arc::downgrade(&state);
        let timer = tokio::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            if let Some(state) = timed.upgrade() {
                lock(&state).cut();
            }
        });
        Self { state, timer: timer.abort_handle() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn cut(&mut self) {
        if self.rest.take().is_some() {
            self.cut = true;
            self.ahead.clear();
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        if self.cut {
            return Poll::Ready(Some(Err("the deadline of the endpoint passed".into())));
        }
        if let Some(part) = self.ahead.pop_front() {
            return Poll::Ready(Some(part));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *rest).poll_frame(cx);
        match &polled {
            Poll::Pending => self.reader = Some(cx.waker().clone()),
            // The seat is free as soon as the backend has nothing more to say.
            Poll::Ready(Some(Ok(_))) if !rest.is_end_stream() => {}
            Poll::Ready(_) => self.rest = None,
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.iter().flatten().filter_map(Frame::data_ref);
        let ahead: u64 = ahead.map(|bytes| bytes.len() as u64).sum();
        let rest = self.rest.as_ref().map_or(Some(0), |rest| rest.size_hint().exact());
        match rest {
            Some(rest) if !self.cut => SizeHint::with_exact(ahead + rest),
            _ => SizeHint::default(),
        }
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        lock(&self.state).next(cx)
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.state);
        !state.cut && state.ahead.is_empty() && state.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.state).size_hint()
    }
}
