//! Power cuts: a replica and PostgreSQL, in turn, while the rounds go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::Outcome;
use crate::stage::Stage;

/// Between two kills.
const EVERY: Duration = Duration::from_millis(1500);
/// How long a killed replica is missed.
const DOWN: Duration = Duration::from_millis(300);

/// Kills until it is done, and says how often.
pub async fn every_few_seconds(stage: &mut Stage, kill: bool, done: &AtomicBool) -> Outcome<String> {
    if !kill {
        return Ok("nothing".to_owned());
    }
    let (mut replicas, mut servers) = (0, 0);
    loop {
        sleep(EVERY).await;
        if done.load(Ordering::Relaxed) {
            return Ok(format!("a replica {replicas} times, PostgreSQL {servers} times"));
        }
        if replicas <= servers {
            let replica = &mut stage.replicas[0];
            replica.kill().await?;
            sleep(DOWN).await;
            replica.restart().await?;
            replicas += 1;
        } else {
            stage.crash_postgres().await?;
            servers += 1;
        }
    }
}
