//! What happens by the clock. Several replicas may run it: each delivery is made by who takes its lease.

pub mod attempt;
pub mod deliver;
pub mod letter;
pub mod push;
pub mod record;
pub mod sms;
pub mod webhook_record;
pub mod webhooks;

use std::time::Duration;

use futures_util::future::join_all;

use crate::App;
use deliver::{Queue, deliver_due};
use webhooks::tell_due;

/// How often the queue is looked at when it was empty and nobody woke us: what another replica heard, or is due again.
const EVERY: Duration = Duration::from_millis(500);
/// How long to pause when the database fails.
const PAUSE: Duration = Duration::from_secs(5);

/// Batches under way at once: one with a mail that hangs does not stop the others.
const LANES: usize = 3;

/// Batches of pushes beside them, likewise.
const PUSH_LANES: usize = 2;

/// Batches of short messages beside them, likewise.
const SMS_LANES: usize = 1;

/// Requests to webhooks beside them, likewise.
const WEBHOOK_LANES: usize = 2;

/// What a lane does.
#[derive(Clone, Copy)]
enum Work {
    Deliveries(Queue),
    Webhooks,
}

/// Delivers what is due until the process stops; then the mails under way are finished and no other is begun.
pub async fn run(app: App) {
    let mails = join_all((0..LANES).map(|_| lane(&app, Work::Deliveries(Queue::Mails))));
    let pushes = join_all((0..PUSH_LANES).map(|_| lane(&app, Work::Deliveries(Queue::Pushes))));
    let texts = join_all((0..SMS_LANES).map(|_| lane(&app, Work::Deliveries(Queue::Texts))));
    let webhooks = join_all((0..WEBHOOK_LANES).map(|_| lane(&app, Work::Webhooks)));
    tokio::join!(mails, pushes, texts, webhooks);
}

async fn lane(app: &App, work: Work) {
    let mut woken = app.due.subscribe();
    while !app.context.shutdown.is_cancelled() {
        // Before the queue is looked at: what comes meanwhile is not missed.
        woken.mark_unchanged();
        // A mail whose sending cannot be written down would be sent again and again.
        let due = match (app.context.db.takes_writes().await, work) {
            (false, _) => Ok(None),
            (true, Work::Deliveries(queue)) => deliver_due(app, queue).await.map(Some),
            (true, Work::Webhooks) => tell_due(app).await.map(Some),
        };
        let pause = match due {
            Ok(None) => PAUSE,
            Ok(Some(0)) => EVERY,
            Ok(_) => continue,
            Err(problem) => {
                tracing::warn!(error = problem.detail, "deliveries will be tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = app.context.shutdown.cancelled() => return,
            _ = woken.changed(), if pause == EVERY => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
