//! From a booking that stands to its mail at the server, with the real booking service.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::peers::Peers;
use super::sink::Sink;
use super::{Flags, forget_feeds, replica, until};
use crate::Outcome;
use crate::client::Client;
use crate::creating::{Spread, requests};
use crate::seed::{self, Sizes};
use crate::stage::Stage;
use crate::table::{Report, Times};

/// Between two bookings.
const EVERY: Duration = Duration::from_millis(50);
/// How long the mails may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Resources that are booked.
const RESOURCES: u64 = 500;

/// Measures.
pub async fn measure(stage: &Stage, flags: &Flags, report: &mut Report) -> Outcome {
    seed::load(stage, Sizes { organizations: 1, resources: RESOURCES, people: 1000, bookings: 10_000 })
        .await?;
    forget_feeds(stage).await?;
    let (sink, peers) = (Sink::default(), Peers::default());
    let ((smtp, _open), peers_at) = (sink.open(0).await?, peers.start().await?);
    let port = stage.ports().first().copied().ok_or("no booking service")?;
    let notifications = replica(stage, smtp, peers_at, &format!("http://127.0.0.1:{port}")).await?;
    let made = book(stage, port, flags.bookings).await?;
    let all_came = until(PATIENCE, || made.iter().all(|(id, _)| sink.about(*id).is_some())).await;
    if !all_came {
        report.faults.push(format!("of {} bookings not every one has its mail", made.len()));
    }
    let took = |(id, at): &(Uuid, Instant)| Some(sink.about(*id)?.saturating_duration_since(*at));
    let times = Times::from(made.iter().filter_map(took).collect::<Vec<_>>());
    let [p50, p95, p99] = times.cells();
    report.rows.push(vec![
        format!("from a booking's answer to its mail at the server, {} bookings, 20 a second", made.len()),
        format!("p50 {p50}, p95 {p95}, p99 {p99}"),
        "through the booking service's feed".to_owned(),
    ]);
    notifications.stop().await
}

/// Books at an even pace: each booking with the time of its answer.
async fn book(stage: &Stage, port: u16, count: usize) -> Outcome<Vec<(Uuid, Instant)>> {
    let (mut client, next) = (Client::connect(port).await?, requests(stage, Spread::Even(RESOURCES)));
    let (mut made, mut ticks) = (Vec::new(), tokio::time::interval(EVERY));
    while made.len() < count {
        ticks.tick().await;
        let ask = next();
        let (key, body) = ask.post.ok_or("no booking is asked for")?;
        let token = ask.token.as_deref().unwrap_or_default();
        let reply = client.post(&ask.path, token, Some(&key), body).await?;
        // Some times are taken.
        match (reply.status, reply.json()["id"].as_str()) {
            (201, Some(id)) => made.push((id.parse()?, Instant::now())),
            (409, _) => {}
            (status, _) => return Err(format!("a booking is answered with {status}").into()),
        }
    }
    Ok(made)
}
