//! Token buckets: one for an endpoint, one for each of its clients, bounded in number.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Rate;

/// Clients remembered per limit; beyond it the least used is forgotten, which only favours that client.
const MAX_CLIENTS: u64 = 100_000;

/// A token was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Tokens that are left.
    pub left: u64,
    /// How long until the bucket is full again.
    pub full_in: Duration,
}

/// A bucket that fills with time.
#[derive(Debug)]
pub struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self { tokens: rate.capacity, filled: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<Taken, Duration> {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * rate.per_second;
        self.tokens = (self.tokens + gained).min(rate.capacity);
        self.filled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            let full_in = (rate.capacity - self.tokens) / rate.per_second;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "never negative, and beyond the largest whole number it stays there"
            )]
            let left = self.tokens as u64;
            return Ok(Taken {
                left,
                full_in: Duration::try_from_secs_f64(full_in).unwrap_or(Duration::MAX),
            });
        }
        let wait = (1.0 - self.tokens) / rate.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

/// A limit for all clients together.
pub struct Shared {
    rate: Rate,
    bucket: Mutex<Bucket>,
}

impl Shared {
    /// Starts with a full bucket.
    pub fn new(rate: Rate) -> Self {
        Self { rate, bucket: Mutex::new(Bucket::full(rate, Instant::now())) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn take(&self) -> Result<Taken, Duration> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.rate, Instant::now())
    }
}

/// A limit for each client.
pub struct PerClient {
    /// The limit of each.
    pub rate: Rate,
    /// Clients go by a hash, so that a long header does not fill the memory.
    buckets: moka::future::Cache<u64, Arc<Mutex<Bucket>>>,
    hashing: RandomState,
}

impl PerClient {
    /// Starts without clients. A client that stayed away until its bucket is full again is forgotten.
    pub fn new(rate: Rate) -> Self {
        let refill = Duration::try_from_secs_f64(rate.capacity / rate.per_second).unwrap_or(Duration::MAX);
        let idle = refill.clamp(Duration::from_secs(1), Duration::from_secs(24 * 3600));
        let buckets = moka::future::Cache::builder().max_capacity(MAX_CLIENTS).time_to_idle(idle).build();
        Self { rate, buckets, hashing: RandomState::new() }
    }

    /// Takes a token of this client.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub async fn take(&self, client: &str) -> Result<Taken, Duration> {
        let fresh = async { Arc::new(Mutex::new(Bucket::full(self.rate, Instant::now()))) };
        let client = self.hashing.hash_one(client);
        let bucket = match self.buckets.get(&client).await {
            Some(bucket) => bucket,
            None => self.buckets.get_with(client, fresh).await,
        };
        bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.rate, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_with_time_and_not_beyond_its_size() {
        let rate = Rate { per_second: 2.0, capacity: 3.0 };
        let start = Instant::now();
        let mut bucket = Bucket::full(rate, start);
        for left in [2, 1, 0] {
            let full_in = Duration::from_millis(500 * (3 - left));
            assert_eq!(bucket.take(rate, start), Ok(Taken { left, full_in }));
        }
        assert_eq!(bucket.take(rate, start), Err(Duration::from_millis(500)));
        assert!(bucket.take(rate, start + Duration::from_millis(500)).is_ok());
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..10).filter(|_| bucket.take(rate, later).is_ok()).count(), 3);
    }
}
