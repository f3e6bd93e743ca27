//! The notification service: a long queue over two replicas of which one dies, the way from a booking to its mail, and a mail
//! server that is away.

mod away;
mod latency;
mod peers;
mod queue;
mod sink;

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::Outcome;
use crate::replica::Replica;
use crate::stage::{Stage, Tuning};
use crate::table::Report;

/// How often is looked at what has come.
const LOOK: Duration = Duration::from_millis(20);

/// How much.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Mails in the queue.
    #[arg(long, default_value_t = 20_000)]
    mails: usize,
    /// Kill one of the two replicas when so many of a hundred mails are sent; the leases of the dead one run out after five
    /// minutes.
    #[arg(long)]
    kill_at: Option<usize>,
    /// Bookings whose mails are waited for, 20 a second.
    #[arg(long, default_value_t = 200)]
    bookings: usize,
    /// Seconds for which the mail server is away.
    #[arg(long, default_value_t = 30)]
    away: u64,
}

impl Default for Flags {
    fn default() -> Self {
        Self { mails: 20_000, kill_at: None, bookings: 200, away: 30 }
    }
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let stage = Stage::start(1, tuning).await?;
    let alone = stage.alone()?;
    let mut report = Report {
        title: "The notification service".to_owned(),
        how: vec![
            stage.settings().await?,
            "the mail server, the user service and (but for the second row) the booking service are played from memory \
             on the same cores"
                .to_owned(),
        ],
        head: vec!["what", "measured", "beside it"],
        ..Report::default()
    };
    queue::measure(&stage, flags, &mut report).await?;
    latency::measure(&stage, flags, &mut report).await?;
    away::measure(&stage, flags, &mut report).await?;
    drop(alone);
    stage.stop().await?;
    Ok(report)
}

/// A replica that sends to a mail server on a port. It asks `peers` about people, and `bookings` about bookings.
async fn replica(stage: &Stage, smtp: u16, peers: u16, bookings: &str) -> Outcome<Replica> {
    let folder: &Path = stage.folder();
    let settings = [
        ("RESERVAS_NOTIFICATIONS_MAIL_URL", format!("smtp://127.0.0.1:{smtp}")),
        ("RESERVAS_NOTIFICATIONS_USERS_URL", format!("http://127.0.0.1:{peers}")),
        ("RESERVAS_NOTIFICATIONS_BOOKINGS_URL", bookings.to_owned()),
        ("RESERVAS_NOTIFICATIONS_LINK_URL", "https://rooms.example.edu".to_owned()),
        ("RESERVAS_NOTIFICATIONS_WEBHOOK_NETWORKS", "127.0.0.0/8".to_owned()),
        ("RESERVAS_USERS_SERVER_URL", stage.issuer.base().to_owned()),
    ];
    Replica::start_notifications(folder, &stage.url()?, settings).await
}

/// Lets the next replica read its feeds from their beginning, at once: they are other ones than before.
async fn forget_feeds(stage: &Stage) -> Outcome {
    sqlx::query("delete from notifications.consumer").execute(&mut stage.owner().await?).await?;
    Ok(())
}

/// The played booking service of the peers.
fn played(peers: u16) -> String {
    format!("http://127.0.0.1:{peers}/bookings")
}

/// Waits until something holds; false when it does not within a time.
async fn until(patience: Duration, holds: impl Fn() -> bool) -> bool {
    let end = tokio::time::Instant::now() + patience;
    let mut ticks = tokio::time::interval(LOOK);
    while tokio::time::Instant::now() < end {
        ticks.tick().await;
        if holds() {
            return true;
        }
    }
    holds()
}
