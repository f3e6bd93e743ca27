//! `proxy.shadow`: copies of requests whose answers are dropped.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::proxy::{Ask, Inputs, Route};
use crate::upstream::{Payload, Upstream};

/// Copies on their way at once; beyond it they are not sent, so that a slow shadow cannot use up the memory.
const MAX_COPIES: usize = 64;

/// Sends copies in the background.
pub struct Shadows(Arc<Semaphore>);

impl Default for Shadows {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_COPIES)))
    }
}

impl Shadows {
    /// Sends a copy to each shadow of the endpoint.
    pub fn send(&self, upstream: &Upstream, route: &Arc<Route>, inputs: &Arc<Inputs>, payload: &Payload) {
        for (index, _) in route.endpoint.backends.iter().enumerate().filter(|(_, backend)| backend.shadow) {
            let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { continue };
            let payload = match payload {
                Payload::Known(bytes) => Payload::Known(bytes.clone()),
                Payload::Empty | Payload::Stream(_) => Payload::Empty,
            };
            let (upstream, route, inputs) = (upstream.clone(), Arc::clone(route), Arc::clone(inputs));
            tokio::spawn(async move {
                let deadline = Instant::now() + route.endpoint.timeout;
                let ask = Ask { upstream: &upstream, route: &route, inputs: &inputs };
                if let Some(backend) = route.endpoint.backends.get(index) {
                    drop(ask.part(index, backend, payload, &[], deadline).await);
                }
                drop(permit);
            });
        }
    }
}
