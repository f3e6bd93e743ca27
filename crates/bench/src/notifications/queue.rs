//! A long queue, two replicas, and the death of one: how fast, and whether each mail came, and came once.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use kernel::Role;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

use super::peers::Peers;
use super::sink::Sink;
use super::{Flags, played, replica, until};
use crate::Outcome;
use crate::names;
use crate::stage::Stage;
use crate::table::{Report, rate, ratio};

/// How long a mail may take at most, before the run is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the leases of a replica that died hold, and some.
const LEASES: Duration = Duration::from_secs(6 * 60);
/// Connections of the bare client: as many as two replicas have at most.
const CONNECTIONS: usize = 96;

/// Measures.
pub async fn measure(stage: &Stage, flags: &Flags, report: &mut Report) -> Outcome {
    let (sink, peers) = (Sink::default(), Peers::default());
    let ((smtp, _open), peers_at) = (sink.open(0).await?, peers.start().await?);
    let bare = bare(flags.mails / 4).await?;
    // One is told of by the way that all go; the rest are its copies.
    let first = replica(stage, smtp, peers_at, &played(peers_at)).await?;
    let ada = names::person(1, 2, Role::User);
    peers.confirm(ada.organization, ada.user)?;
    if !until(PATIENCE, || sink.count() == 1).await {
        return Err("the first mail does not come".into());
    }
    first.stop().await?;
    copy(stage, flags.mails).await?;

    let started = Instant::now();
    let mut dying = replica(stage, smtp, peers_at, &played(peers_at)).await?;
    let living = replica(stage, smtp, peers_at, &played(peers_at)).await?;
    if let Some(percent) = flags.kill_at {
        let enough = flags.mails * percent / 100;
        until(PATIENCE, || sink.count() > enough).await;
        dying.kill().await?;
    }
    let patience = PATIENCE + Duration::from_secs(flags.mails as u64 / 50);
    let most = flags.mails + 1 - if flags.kill_at.is_some() { CONNECTIONS } else { 0 };
    until(patience, || sink.count() >= most).await;
    let took = pace(&sink, started, most);
    until(LEASES, || sink.count() > flags.mails).await;

    let all = sink.all();
    let twice = all.iter().filter(|taken| taken.times > 1).count();
    let lost = (flags.mails + 1).saturating_sub(all.len());
    if lost > 0 {
        report.faults.push(format!("{lost} of {} mails did not come", flags.mails));
    }
    if twice > 0 && flags.kill_at.is_none() {
        report.faults.push(format!("{twice} mails came twice, and nobody had died"));
    }
    let dead =
        flags.kill_at.map_or("none killed".to_owned(), |percent| format!("one killed (-9) at {percent} %"));
    let speed = most as f64 / took.as_secs_f64();
    report.rows.push(vec![
        format!("{} mails, two replicas, {dead}", flags.mails),
        format!("{} sent, {twice} of them twice (same Message-ID), {lost} lost", rate(speed)),
        format!("a client that does nothing else: {}, so {}", rate(bare), ratio(speed, bare)),
    ]);
    living.stop().await?;
    if flags.kill_at.is_none() {
        dying.stop().await?;
    }
    Ok(())
}

/// From the start until so many had come.
fn pace(sink: &Sink, started: Instant, most: usize) -> Duration {
    let mut times: Vec<_> = sink.all().iter().map(|taken| taken.at).collect();
    times.sort_unstable();
    let last = times.get(most.saturating_sub(1)).or(times.last()).copied().unwrap_or(started);
    last.saturating_duration_since(started)
}

/// Queues copies of what was sent.
async fn copy(stage: &Stage, mails: usize) -> Outcome {
    let copies = "with copy as (
             insert into notifications.message (organization_id, id, event_id, user_id, kind, booking_id, reference, subject,
                                                data, correlation_id, created_at)
             select organization_id, gen_random_uuid(), gen_random_uuid(), user_id, kind, gen_random_uuid(), reference,
                    subject, data, correlation_id, now()
             from notifications.message, generate_series(1, $1)
             returning organization_id, id
         )
         insert into notifications.delivery (organization_id, id, message_id, channel, due_at, created_at)
         select organization_id, gen_random_uuid(), id, 'email', now(), now() from copy";
    let count = i32::try_from(mails)?;
    sqlx::query(copies).bind(count).execute(&mut stage.owner().await?).await?;
    Ok(())
}

/// Mails a second of a client that does nothing else, over as many connections, to a server of the same kind.
async fn bare(mails: usize) -> Outcome<f64> {
    let sink = Sink::default();
    let (port, _open) = sink.open(0).await?;
    let started = Instant::now();
    let clients = (0..CONNECTIONS).map(|client| tokio::spawn(send(port, client, mails / CONNECTIONS)));
    for client in try_join_all(clients).await? {
        client?;
    }
    Ok(sink.count() as f64 / started.elapsed().as_secs_f64())
}

async fn send(port: u16, client: usize, mails: usize) -> Outcome {
    let mut stream = BufStream::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    // As long as a mail of ours.
    let body = "x".repeat(76) + "\r\n";
    let body = body.repeat(80);
    for mail in 0..mails {
        let text = format!("Message-ID: <{client}-{mail}@bench>\r\n\r\n{body}.\r\n");
        for command in ["MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n", &text] {
            stream.write_all(command.as_bytes()).await?;
            stream.flush().await?;
            line.clear();
            stream.read_line(&mut line).await?;
        }
    }
    Ok(())
}
