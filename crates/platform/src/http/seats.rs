//! Places for streams that stay open: so many for a process, and so many for one user in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Kind, UserId};

use super::Problem;

/// Streams of one process, and of one user in it.
const MOST: (usize, usize) = (1000, 10);

/// The places of a process for one sort of stream.
#[derive(Debug, Clone, Default)]
pub struct Seats(Arc<Mutex<BTreeMap<UserId, usize>>>);

/// A place; given up when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    user: UserId,
}

impl Seats {
    /// A place for a stream of somebody.
    ///
    /// # Errors
    /// 429 `too_many_streams` when they have too many open, 503 `streams_exhausted` when the process has.
    pub fn take(&self, user: UserId) -> Result<Seat, Problem> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(&user).is_some_and(|count| *count >= MOST.1) {
            let detail = format!("You have {} of these open; close one first.", MOST.1);
            return Err(Problem::new(Kind::TooMany, "too_many_streams", detail));
        }
        if taken.values().sum::<usize>() >= MOST.0 {
            let detail = "Too many streams are open. Try again.";
            return Err(Problem::unavailable("streams_exhausted", detail, 5));
        }
        *taken.entry(user).or_default() += 1;
        Ok(Seat { seats: self.clone(), user })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_up_and_nobody_takes_all() {
        let (seats, ada) = (Seats::default(), UserId::mint());
        let taken: Vec<Seat> = (0..MOST.1).map(|_| seats.take(ada).unwrap()).collect();
        assert_eq!(seats.take(ada).unwrap_err().code, "too_many_streams");
        let others: Vec<Seat> = (MOST.1..MOST.0).map(|_| seats.take(UserId::mint()).unwrap()).collect();
        assert_eq!(seats.take(UserId::mint()).unwrap_err().code, "streams_exhausted");
        drop((taken, others));
        assert!(seats.take(ada).is_ok());
    }
}
