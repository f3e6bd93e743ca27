//! Clients that ask one thing after the other for some seconds, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use crate::Outcome;
use crate::client::Client;
use crate::table::Times;

/// A request.
pub struct Ask {
    /// Path and query.
    pub path: String,
    /// Who asks.
    pub token: Option<Arc<str>>,
    /// The idempotency key and the body of a POST.
    pub post: Option<(String, String)>,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Answers {
    /// How long each answer took.
    pub times: Times,
    /// How many answers of each status.
    pub statuses: BTreeMap<u16, u64>,
    /// How long it went on.
    pub took: Duration,
    /// One of the answers that were no success and no conflict.
    pub odd: Option<String>,
}

impl Answers {
    /// How many answers had a status.
    pub fn count(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// Answers of a status a second.
    pub fn rate(&self, status: u16) -> f64 {
        self.count(status) as f64 / self.took.as_secs_f64()
    }
}

/// Lets clients ask for some time, spread over the ports, each on its own connection.
pub async fn drive(
    ports: &[u16],
    clients: usize,
    time: Duration,
    next: impl Fn() -> Ask + Send + Sync + 'static,
) -> Outcome<Answers> {
    let next = Arc::new(next);
    let mut connections = Vec::new();
    for port in ports.iter().cycle().take(clients) {
        connections.push(Client::connect(*port).await?);
    }
    let started = Instant::now();
    let tasks = connections.into_iter().map(|client| tokio::spawn(one(client, next.clone(), started + time)));
    let mut answers = Answers::default();
    let mut times = Vec::new();
    for part in try_join_all(tasks).await? {
        let (part, odd) = part?;
        answers.odd = answers.odd.or(odd);
        for (status, took) in part {
            *answers.statuses.entry(status).or_default() += 1;
            times.push(took);
        }
    }
    answers.took = started.elapsed();
    answers.times = times.into();
    Ok(answers)
}

type Part = (Vec<(u16, Duration)>, Option<String>);

async fn one(mut client: Client, next: Arc<impl Fn() -> Ask>, end: Instant) -> Outcome<Part> {
    let mut answers = Vec::new();
    let mut odd = None;
    while Instant::now() < end {
        let ask = next();
        let started = Instant::now();
        let token = ask.token.as_deref();
        let reply = match &ask.post {
            Some((key, body)) => {
                client.post(&ask.path, token.unwrap_or_default(), Some(key), body.clone()).await?
            }
            None => client.get(&ask.path, token).await?,
        };
        answers.push((reply.status, started.elapsed()));
        if !matches!(reply.status, 200..300 | 409) && odd.is_none() {
            odd = Some(format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    Ok((answers, odd))
}
