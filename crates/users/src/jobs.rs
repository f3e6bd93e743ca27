//! What happens by the clock: what counts no more is forgotten. Several replicas may run it.

pub mod sweep_groups;

use std::time::Duration;

use crate::App;
use crate::store::{leftovers, throttle};

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Forgets until the process stops.
pub async fn run(app: App) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = app.context.shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(problem) = throttle::prune(&app.context.db, app.context.clock.now()).await {
            tracing::warn!(error = problem.detail, "old attempts are kept for now");
        }
        if let Err(problem) = leftovers::prune(&app.context.db, app.context.clock.now()).await {
            tracing::warn!(error = problem.detail, "what has run out is kept for now");
        }
    }
}
