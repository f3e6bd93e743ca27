//! How far the readers of feeds in this process are: what `/metrics` shows of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// Where one reader is.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// When the oldest event happened that was fetched and is not handled; none when there is none.
    pub waiting_since: Option<Timestamp>,
    /// Tries at the same place that failed, one after the other.
    pub failures: u32,
    /// Events that were handled since the start.
    pub handled: u64,
}

/// All readers of a service.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<BTreeMap<&'static str, Reader>>>);

impl Progress {
    /// Where each is.
    #[must_use]
    pub fn readers(&self) -> BTreeMap<&'static str, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Events are there, the first of which happened then.
    pub(super) fn waits(&self, name: &'static str, since: Option<Timestamp>) {
        self.with(name, |reader| reader.waiting_since = since);
    }

    /// So many were handled.
    pub(super) fn handled(&self, name: &'static str, count: usize) {
        self.with(name, |reader| {
            reader.handled += count as u64;
            reader.failures = 0;
        });
    }

    /// The next could not be.
    pub(super) fn failed(&self, name: &'static str) {
        self.with(name, |reader| reader.failures = reader.failures.saturating_add(1));
    }

    fn with(&self, name: &'static str, change: impl FnOnce(&mut Reader)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default());
    }
}
