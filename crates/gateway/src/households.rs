//! How many of something each client has at once: a client is an address, or a /64 of IPv6.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::places::household;

/// What clients have; those that have nothing are not in it, so it is as large as what they have.
#[derive(Debug, Default)]
pub struct Households(Mutex<HashMap<IpAddr, usize>>);

/// One of a client's, until it is dropped.
#[derive(Debug)]
pub struct Share {
    all: Arc<Households>,
    client: IpAddr,
}

impl Households {
    /// Counts one more for a client; `None` when it has `max` already.
    pub fn take(self: &Arc<Self>, client: IpAddr, max: usize) -> Option<Share> {
        let client = household(client.to_canonical());
        let mut all = self.all();
        let count = all.entry(client).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(all);
        Some(Share { all: Arc::clone(self), client })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has anything.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.all.all();
        if let Some(count) = all.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.client);
            }
        }
    }
}
