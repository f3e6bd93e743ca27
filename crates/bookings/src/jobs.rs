//! What happens by the clock. Several replicas may run it: each thing happens once, because each takes a row lock.

pub mod due_bookings;
pub mod end_waiting;
pub mod erase_people;
pub mod follow_events;
pub mod recheck_bookings;

use std::time::Duration;

use platform::http::Problem;

use crate::App;

/// How often the jobs look for work.
const EVERY: Duration = Duration::from_secs(5);

/// Runs the jobs until the process stops.
pub async fn run(app: App) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.context.shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        if !app.context.db.takes_writes().await {
            continue;
        }
        if let Err(problem) = run_once(&app).await {
            tracing::warn!(error = problem.detail, "the jobs will run again");
        }
    }
}

/// Runs every job once.
///
/// # Errors
/// When the database fails.
pub async fn run_once(app: &App) -> Result<(), Problem> {
    due_bookings::due_bookings(app).await?;
    end_waiting::end_waiting(app).await?;
    erase_people::erase_people(app).await?;
    recheck_bookings::recheck_bookings(app).await?;
    follow_events::follow_events(app).await
}
