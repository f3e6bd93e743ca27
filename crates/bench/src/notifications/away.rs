//! A mail server that is away for a while: nothing is lost, webhooks are told as ever, and memory stays as it was.

use std::time::{Duration, Instant};

use kernel::{BookingId, Role};
use serde_json::json;

use super::peers::Peers;
use super::sink::Sink;
use super::{Flags, forget_feeds, played, replica, until};
use crate::Outcome;
use crate::client::Client;
use crate::names;
use crate::stage::Stage;
use crate::table::{Report, Times};

/// Between two bookings.
const EVERY: Duration = Duration::from_millis(50);
/// Bookings before the server goes away, by which the other way is known.
const BEFORE: usize = 200;
/// How long may pass until a mail is tried again: pauses double while the server is away.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Measures.
pub async fn measure(stage: &Stage, flags: &Flags, report: &mut Report) -> Outcome {
    forget_feeds(stage).await?;
    let (sink, peers) = (Sink::default(), Peers::default());
    let ((smtp, open), peers_at) = (sink.open(0).await?, peers.start().await?);
    let replica = replica(stage, smtp, peers_at, &played(peers_at)).await?;
    let admin = names::person(2, 1, Role::Admin);
    let hook = json!({ "url": format!("http://127.0.0.1:{peers_at}/hook") }).to_string();
    let mut client = Client::connect(replica.port()).await?;
    let made = client.post("/api/v1/webhooks", &stage.issuer.token(&admin), None, hook).await?;
    if made.status != 201 {
        return Err(format!("no webhook: {}", String::from_utf8_lossy(&made.body)).into());
    }
    let mut said = say(&peers, BEFORE).await?;
    let before = told(&peers, &said, report).await;
    until(PATIENCE, || sink.count() == said.len()).await;

    drop(open);
    let away = Instant::now();
    let mut samples = Vec::new();
    let mut times = Vec::new();
    while away.elapsed() < Duration::from_secs(flags.away) {
        let some = say(&peers, BEFORE).await?;
        times.push(told(&peers, &some, report).await);
        said.extend(some);
        samples.push(replica.memory()?.0);
    }
    let waiting = said.len() - sink.count();
    let (_, _open) = sink.open(smtp).await?;
    let back = Instant::now();
    until(PATIENCE, || sink.count() == said.len()).await;
    let lost = said.len() - sink.count();
    if lost > 0 {
        report.faults.push(format!("{lost} of {} mails did not come after the server was back", said.len()));
    }
    let twice = sink.all().iter().filter(|taken| taken.times > 1).count();
    let worst = times.iter().map(|times| times.at(950)).max().unwrap_or_default();
    report.rows.push(vec![
        format!("the mail server away for {} s, 20 bookings a second", away.elapsed().as_secs()),
        format!(
            "{waiting} mails waited, {lost} lost, {twice} twice, all there {} s after it was back",
            back.elapsed().as_secs()
        ),
        format!(
            "webhooks p95 {} before, {} at most while it was away; memory {:.0} MB at first, {:.0} MB at last",
            crate::table::ms(before.at(950)),
            crate::table::ms(worst),
            samples.first().copied().unwrap_or_default(),
            samples.last().copied().unwrap_or_default()
        ),
    ]);
    replica.stop().await
}

/// Says that so many bookings stand, at an even pace.
async fn say(peers: &Peers, count: usize) -> Outcome<Vec<(BookingId, Instant)>> {
    let owner = names::person(2, 2, Role::User);
    let (mut said, mut ticks) = (Vec::new(), tokio::time::interval(EVERY));
    for _ in 0..count {
        ticks.tick().await;
        said.push((peers.confirm(owner.organization, owner.user)?, Instant::now()));
    }
    Ok(said)
}

/// How long it took until the webhook was told of each.
async fn told(peers: &Peers, said: &[(BookingId, Instant)], report: &mut Report) -> Times {
    if !until(Duration::from_secs(10), || said.iter().all(|(id, _)| peers.told(*id).is_some())).await {
        report.faults.push("a webhook was not told within 10 s".to_owned());
    }
    let took = |(id, at): &(BookingId, Instant)| Some(peers.told(*id)?.saturating_duration_since(*at));
    said.iter().filter_map(took).collect::<Vec<_>>().into()
}
