//! The hosts behind the gateway: one state for each, whoever names it, kept when the route file is read again.

pub mod balance;
pub mod base;
pub mod check;
pub mod room;
pub mod standing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use http::HeaderValue;
use tokio::time::Instant;

use crate::config::{Concurrency, Health};
use base::Base;
use room::Room;
use standing::{Fit, Standing};

/// What the file says of a host.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// When it is left out; absent, never.
    pub health: Option<Arc<Health>>,
    /// Calls in flight to it.
    pub concurrency: Concurrency,
}

/// A host, known by scheme, name and port.
#[derive(Debug)]
pub struct Host {
    /// Such as `http://users:8081`.
    pub name: String,
    standing: Mutex<Standing>,
    room: Mutex<Arc<Room>>,
    ejections: AtomicU64,
}

impl Host {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it should be asked.
    pub fn is_well(&self) -> bool {
        self.standing().fit(Instant::now()) == Fit::Well
    }

    /// How often it was ejected since the gateway started.
    pub fn ejections(&self) -> u64 {
        self.ejections.load(Ordering::Relaxed)
    }

    /// Its room; a new one when the file changed its size.
    fn room(&self, limits: Concurrency) -> Arc<Room> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if room.limits != limits {
            *room = Arc::new(Room::new(limits));
        }
        Arc::clone(&room)
    }
}

/// All hosts that anybody names.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<BTreeMap<String, Weak<Host>>>);

impl Hosts {
    /// The host of this name, with all that is known of it.
    pub fn get(&self, name: &str, limits: Concurrency) -> Arc<Host> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(name).and_then(Weak::upgrade) {
            return host;
        }
        // Hosts that nobody names any more are forgotten here, so that a changing DNS cannot fill the memory.
        known.retain(|_, host| host.strong_count() > 0);
        let host = Arc::new(Host {
            name: name.to_owned(),
            standing: Mutex::default(),
            room: Mutex::new(Arc::new(Room::new(limits))),
            ejections: AtomicU64::new(0),
        });
        known.insert(name.to_owned(), Arc::downgrade(&host));
        host
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Host>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter_map(Weak::upgrade).collect()
    }
}

/// A host as one backend sees it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The host.
    pub host: Arc<Host>,
    /// The address that paths are appended to.
    pub base: Base,
    /// What `Host` says, when that is not the address.
    pub authority: Option<HeaderValue>,
    /// Places of a lower number are taken first.
    pub priority: u16,
    /// Its room.
    pub room: Arc<Room>,
    health: Option<Arc<Health>>,
}

impl Place {
    /// A place at a host.
    pub fn new(hosts: &Hosts, name: &str, base: &str, rules: &Rules) -> Self {
        let host = hosts.get(name, rules.concurrency);
        let room = host.room(rules.concurrency);
        Self { host, base: Base::new(base), authority: None, priority: 0, room, health: rules.health.clone() }
    }

    fn fit(&self, now: Instant) -> Fit {
        if self.health.is_none() { Fit::Well } else { self.host.standing().fit(now) }
    }

    /// A call that is about to be made.
    fn attempt(&self, trial: bool) -> Attempt {
        Attempt { place: self.clone(), trial, reported: false }
    }
}

/// A call to a place; one that is dropped without a report says nothing of the host.
#[derive(Debug)]
pub struct Attempt {
    /// Where it goes.
    pub place: Place,
    trial: bool,
    reported: bool,
}

impl Attempt {
    /// Tells how it ended.
    pub fn report(mut self, success: bool) {
        self.reported = true;
        let Some(rules) = &self.place.health else { return };
        let host = &self.place.host;
        if host.standing().note(success, self.trial, rules, Instant::now()) {
            host.ejections.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(host = host.name, "a host failed too often and is left out for a while");
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.trial && !self.reported {
            self.place.host.standing().give_up_trial();
        }
    }
}
