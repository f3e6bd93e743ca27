//! How many connections there are at once: all together, and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::call::contains;
use crate::config::Connections;
use crate::metrics::Present;

/// The places for connections.
pub struct Places {
    room: Arc<Semaphore>,
    per_client: usize,
    exempt: Vec<(IpAddr, u8)>,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place, given back when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _present: Present,
    counted: Option<(Arc<Places>, IpAddr)>,
}

impl Places {
    /// All of them free.
    pub fn new(limits: &Connections) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(limits.max)),
            per_client: limits.max_per_client,
            exempt: limits.exempt.clone(),
            clients: Mutex::default(),
        })
    }

    /// Waits until one is free; meanwhile clients wait in the listener's queue.
    pub async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// Takes a place for a client who is counted as present; `None` when it has enough of them.
    pub fn take(
        self: &Arc<Self>,
        client: IpAddr,
        permit: OwnedSemaphorePermit,
        present: Present,
    ) -> Option<Place> {
        let client = client.to_canonical();
        if self.exempt.iter().any(|(network, bits)| contains(*network, *bits, client)) {
            return Some(Place { _permit: permit, _present: present, counted: None });
        }
        let client = household(client);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(client).or_default();
        if *count >= self.per_client {
            return None;
        }
        *count += 1;
        Some(Place { _permit: permit, _present: present, counted: Some((Arc::clone(self), client)) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, client)) = &self.counted else { return };
        let mut clients = places.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(client);
            }
        }
    }
}

/// An IPv6 client has a whole /64 to itself, so that is what counts.
pub fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn places() -> Arc<Places> {
        let exempt = vec![("10.0.0.0".parse().unwrap(), 8)];
        Places::new(&Connections { max: 9, max_per_client: 2, exempt, ..Connections::default() })
    }

    fn take(places: &Arc<Places>, client: &str) -> Option<Place> {
        let permit = Arc::clone(&places.room).try_acquire_owned().unwrap();
        places.take(client.parse().unwrap(), permit, Metrics::default().connection())
    }

    #[test]
    fn a_client_has_so_many_and_gets_them_back() {
        let places = places();
        let kept = [take(&places, "1.2.3.4").unwrap(), take(&places, "::ffff:1.2.3.4").unwrap()];
        assert!(take(&places, "1.2.3.4").is_none());
        assert!(take(&places, "1.2.3.5").is_some());
        drop(kept);
        assert!(take(&places, "1.2.3.4").is_some());
        assert!(places.clients.lock().unwrap().is_empty());
        assert_eq!(places.room.available_permits(), 9);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_the_exempt_are_not_counted() {
        let places = places();
        let kept = [take(&places, "2001:db8::1").unwrap(), take(&places, "2001:db8::2").unwrap()];
        assert!(take(&places, "2001:db8:0:0:ffff::1").is_none());
        assert!(take(&places, "2001:db8:0:1::1").is_some());
        let proxy: Vec<_> = (0..5).map(|_| take(&places, "10.1.2.3").unwrap()).collect();
        drop((kept, proxy));
        assert_eq!(places.room.available_permits(), 9);
    }
}
