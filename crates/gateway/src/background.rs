//! What the gateway does while nobody asks: checking hosts and following names in the DNS, for the file in force.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Inner;
use crate::discovery::{Discovery, Dns};
use crate::hosts::{Place, check};
use crate::upstream::Upstream;

/// What is to be done for a route file.
#[derive(Default)]
pub struct Duties {
    /// Hosts that are checked, each once.
    pub checks: Vec<Place>,
    /// Names that are followed, each once, and who is asked.
    pub names: Vec<Arc<Discovery>>,
    /// The DNS; there when there are names.
    pub dns: Option<Dns>,
}

impl Duties {
    fn start(&self, upstream: &Upstream, stop: &CancellationToken) {
        for place in &self.checks {
            check::start(place.clone(), upstream.clone(), stop.clone());
        }
        for (name, dns) in self.names.iter().zip(self.dns.iter().cycle()) {
            Arc::clone(name).start(dns.clone(), upstream.clone(), stop.clone());
        }
    }
}

#[derive(Default)]
struct State {
    /// There while the gateway serves.
    serving: Option<CancellationToken>,
    /// Ends what was started for the file in force.
    current: Option<CancellationToken>,
}

/// Whether the background runs, and how it ends.
#[derive(Default)]
pub struct Background(Mutex<State>);

impl Background {
    /// Begins; what runs ends when the guard is dropped.
    pub fn begin(&self, inner: &Inner) -> DropGuard {
        let serving = CancellationToken::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).serving = Some(serving.clone());
        self.follow(inner);
        serving.drop_guard()
    }

    /// Goes on with what another file wants, if the gateway serves.
    pub fn follow(&self, inner: &Inner) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.current.take() {
            before.cancel();
        }
        let Some(serving) = state.serving.as_ref().filter(|serving| !serving.is_cancelled()) else { return };
        let stop = serving.child_token();
        inner.duties.start(&inner.upstream, &stop);
        state.current = Some(stop);
    }
}
