//! Consuming another service's feed: cursor and effect in one transaction, one replica at a time.

use std::time::Duration;

use kernel::OrganizationId;
use otlp::Kind;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Envelope;
use crate::config::Secret;
use crate::db::{Db, Tx};
use crate::http::Problem;

/// How long a poll waits at the publisher, in seconds.
const WAIT: u64 = 25;
/// Events that share a transaction at most.
const GROUP: usize = 100;
/// A lease that is not renewed for this long, in seconds, is another replica's to take.
const LEASE: f64 = 60.0;
/// Pauses after failures: from the first to the last, doubling.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What a service does with an event it hears.
pub trait Handle: Send + Sync + 'static {
    /// Handles one event inside the transaction of its organization. Types it does not know are not for it.
    ///
    /// # Errors
    /// An error rolls back and the event comes again: nothing is lost, and nothing behind it is heard before.
    fn handle(&self, tx: &mut Tx, event: &Envelope) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Told after a transaction with handled events is there for all to see: what they caused may be begun at once.
    fn committed(&self) {}
}

/// A reader of one feed.
#[derive(Debug)]
pub struct Consumer<H> {
    /// Its name in this service's `consumer` table: the publisher's.
    pub name: &'static str,
    /// The publisher's address.
    pub url: String,
    /// The token that services show each other.
    pub token: Secret,
    /// The client to ask with; its time-out must be longer than a poll waits.
    pub client: reqwest::Client,
    /// Where cursor and effects are kept.
    pub db: Db,
    /// What to do.
    pub handler: H,
}

impl<H: Handle> Consumer<H> {
    /// Reads until told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        let replica = kernel::EventId::mint().0;
        let mut pause = PAUSES.0;
        loop {
            let next = tokio::select! {
                () = shutdown.cancelled() => return,
                result = self.turn(replica) => result,
            };
            pause = match next {
                Ok(true) => {
                    pause = PAUSES.0;
                    continue;
                }
                Ok(false) => PAUSES.1,
                Err(error) => {
                    tracing::warn!(consumer = self.name, error = error.detail, "will try again");
                    (pause * 2).min(PAUSES.1)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One round, unless nothing can be written: then it is as if another replica had the lease.
    async fn turn(&self, replica: Uuid) -> Result<bool, Problem> {
        if self.db.takes_writes().await { self.step(replica, WAIT).await } else { Ok(false) }
    }

    /// Reads and handles one batch, waiting `wait` seconds for it at most; false when another replica has the lease.
    ///
    /// # Errors
    /// When the publisher or the database cannot be reached, or the handler fails.
    pub async fn step(&self, replica: Uuid, wait: u64) -> Result<bool, Problem> {
        let Some(cursor) = self.lease(replica).await? else {
            return Ok(false);
        };
        let events = self.fetch(cursor.as_deref(), wait).await?;
        handle_all(&self.db, self.name, &self.handler, cursor, &events).await?;
        Ok(true)
    }

    /// Takes or renews the lease and tells the cursor; none when another replica holds it.
    async fn lease(&self, replica: Uuid) -> Result<Option<Option<String>>, Problem> {
        let mut tx = self.db.begin_without_organization().await?;
        let cursor = sqlx::query_scalar(
            "insert into consumer (name, leased_by, leased_until) values ($1, $2, now() + make_interval(secs => $3))
             on conflict (name) do update set leased_by = excluded.leased_by, leased_until = excluded.leased_until
             where consumer.leased_by = $2 or consumer.leased_until is null or consumer.leased_until < now()
             returning cursor",
        )
        .bind(self.name)
        .bind(replica)
        .bind(LEASE)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(cursor)
    }

    async fn fetch(&self, cursor: Option<&str>, wait: u64) -> Result<Vec<Envelope>, Problem> {
        let wait = wait.to_string();
        let mut parameters = vec![("wait", wait.as_str())];
        parameters.extend(cursor.map(|cursor| ("after", cursor)));
        let request = self.client.get(format!("{}/internal/events", self.url)).query(&parameters);
        let answer =
            async { request.bearer_auth(self.token.expose()).send().await?.error_for_status()?.json().await };
        answer.await.map_err(|error: reqwest::Error| {
            Problem::unavailable("feed_unavailable", &format!("the feed cannot be read: {error}"), 1)
        })
    }
}

/// Handles events from a cursor on, those of one organization together in a transaction, and moves the cursor with them.
pub(super) async fn handle_all<H: Handle>(
    db: &Db,
    name: &'static str,
    handler: &H,
    mut cursor: Option<String>,
    events: &[Envelope],
) -> Result<(), Problem> {
    let mut rest = events;
    let progress = db.progress();
    while let Some(first) = rest.first() {
        progress.waits(name, Some(first.time));
        let same =
            rest.iter().take(GROUP).take_while(|event| event.organizationid == first.organizationid).count();
        let (group, behind) = rest.split_at(same);
        cursor = Some(apply(db, name, handler, first.organizationid, cursor.as_deref(), group).await?);
        progress.handled(name, same);
        rest = behind;
    }
    progress.waits(name, None);
    Ok(())
}

/// Handles events of one organization and moves the cursor, all or nothing.
async fn apply<H: Handle>(
    db: &Db,
    name: &'static str,
    handler: &H,
    organization: OrganizationId,
    before: Option<&str>,
    group: &[Envelope],
) -> Result<String, Problem> {
    let mut tx = db.begin(organization).await?;
    let after = group.last().map(|event| event.cursor.clone()).unwrap_or_default();
    let moved =
        sqlx::query("update consumer set cursor = $3 where name = $1 and cursor is not distinct from $2")
            .bind(name)
            .bind(before)
            .bind(&after)
            .execute(&mut *tx)
            .await?;
    if moved.rows_affected() == 0 {
        return Err(Problem::unavailable("feed_moved", "another replica has read on", 1));
    }
    for event in group {
        hear(db, name, handler, &mut tx, event).await?;
    }
    tx.commit().await?;
    handler.committed();
    Ok(after)
}

/// Handles one event, in the trace of what caused it, and tells which one stands in the way of those behind it.
async fn hear<H: Handle>(
    db: &Db,
    name: &'static str,
    handler: &H,
    tx: &mut Tx,
    event: &Envelope,
) -> Result<(), Problem> {
    let span = db.traces().zip(event.traceparent.as_deref()).map(|(traces, parent)| {
        let span = traces.resume(parent, format!("process {}", event.kind), Kind::Consumer);
        span.attribute("messaging.system", "reservas");
        span.attribute("messaging.operation.type", "process");
        span.attribute("messaging.destination.name", name);
        span.attribute("messaging.message.id", event.id.to_string());
        span.attribute("correlation.id", event.correlationid.clone());
        span
    });
    let handled = otlp::within(span.as_ref(), handler.handle(tx, event)).await;
    if let Err(problem) = &handled {
        db.progress().failed(name);
        if let Some(span) = &span {
            span.fail(problem.code);
        }
        tracing::warn!(
            consumer = name,
            event = %event.id,
            kind = event.kind,
            correlation_id = event.correlationid,
            code = problem.code,
            "an event cannot be handled, and none behind it is heard"
        );
    }
    if let Some(span) = &span {
        span.end();
    }
    handled
}
