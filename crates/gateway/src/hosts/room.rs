//! Room for calls to one host: so many at once, so many waiting, and no more, so that a host that hangs holds up nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Concurrency;
use crate::failure::{Failure, Kind};

/// The room of a host.
#[derive(Debug)]
pub struct Room {
    /// How large it is.
    pub limits: Concurrency,
    seats: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A call's place among those in flight, until it is dropped.
pub type Seat = OwnedSemaphorePermit;

/// Counts a call as waiting until it is dropped, however it ends.
struct Waiting<'r>(&'r AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Room {
    /// An empty one.
    pub fn new(limits: Concurrency) -> Self {
        Self { limits, seats: Arc::new(Semaphore::new(limits.max)), waiting: AtomicUsize::new(0) }
    }

    /// Takes a seat, waiting for one until the deadline.
    ///
    /// # Errors
    /// When those that wait are too many already, or no seat became free in time.
    pub async fn enter(&self, deadline: Instant) -> Result<Seat, Failure> {
        if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
            return Ok(seat);
        }
        let full = || Failure::new(Kind::Full, "too many calls in flight");
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= self.limits.queue {
            return Err(full());
        }
        let seat = tokio::time::timeout_at(deadline, Arc::clone(&self.seats).acquire_owned()).await;
        drop(waiting);
        seat.map_err(|_| full())?.map_err(|_| full())
    }
}
