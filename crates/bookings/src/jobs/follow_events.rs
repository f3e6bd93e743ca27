//! Keeps what reports are made of, by following the service's own events.

use platform::db::Tx;
use platform::events::{Envelope, Follower, Handle};
use platform::http::Problem;

use crate::App;
use crate::store::reports;

/// Batches in one round at most.
const MOST: usize = 40;

/// Counts what an event tells.
#[derive(Debug, Clone, Copy)]
pub struct Counting;

impl Handle for Counting {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        reports::count(tx, event).await
    }
}

/// Counts what has happened since the last time, exactly once: the cursor moves in the transaction of the sums.
///
/// # Errors
/// When the database fails.
pub async fn follow_events(app: &App) -> Result<(), Problem> {
    let follower = Follower { name: "reports", db: app.context.db.clone(), handler: Counting };
    for _ in 0..MOST {
        if !follower.step().await? {
            break;
        }
    }
    Ok(())
}
