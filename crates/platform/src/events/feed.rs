//! A service's events as a feed over HTTP that long-polls: `GET /internal/events?after=<cursor>&wait=30`.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use kernel::Kind;
use serde::Deserialize;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::envelope::{COLUMNS, Envelope};
use crate::db::Db;
use crate::http::{Problem, Query};
use crate::internal::{InternalToken, Peer};

/// Events of one answer at most.
const BATCH: i64 = 500;
/// How long a reader may wait at most, in seconds.
const MAX_WAIT: u64 = 30;
/// While waiting, look again after this long even when nobody woke us: an older transaction may have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long after a lost connection the listener connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// The feed of a service.
#[derive(Debug, Clone)]
pub struct Feed {
    db: Db,
    token: InternalToken,
    woken: watch::Receiver<()>,
    shutdown: CancellationToken,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[garde(length(max = 64))]
    after: Option<String>,
    #[garde(range(max = MAX_WAIT))]
    wait: Option<u64>,
}

impl FromRef<Feed> for InternalToken {
    fn from_ref(feed: &Feed) -> Self {
        feed.token.clone()
    }
}

impl Feed {
    /// The feed of the service whose database this is. Starts the listener that wakes waiting readers.
    #[must_use]
    pub fn start(db: Db, token: InternalToken, shutdown: CancellationToken) -> Self {
        let (wake, woken) = watch::channel(());
        tokio::spawn(listen(db.clone(), wake, shutdown.clone()));
        Self { db, token, woken, shutdown }
    }

    /// The feed's one operation.
    pub fn router(self) -> Router {
        Router::new().route("/internal/events", get(read)).with_state(self)
    }

    /// The events after a cursor as soon as there are any; none when that takes too long or the process stops.
    ///
    /// # Errors
    /// As [`Feed::after`].
    pub async fn wait(&self, cursor: Option<&str>, wait: Duration) -> Result<Vec<Envelope>, Problem> {
        let deadline = Instant::now() + wait;
        let mut woken = self.woken.clone();
        loop {
            woken.mark_unchanged();
            let events = self.after(cursor).await?;
            if !events.is_empty() || Instant::now() >= deadline || self.shutdown.is_cancelled() {
                return Ok(events);
            }
            let next_look = deadline.min(Instant::now() + LOOK_AGAIN);
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                // An error means the listener is gone: then the timer alone wakes us.
                Ok(()) = woken.changed() => {}
                () = tokio::time::sleep_until(next_look) => {}
            }
        }
    }

    /// The last events that no transaction under way can still precede, at most so many, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last(&self, count: i64) -> Result<Vec<Envelope>, Problem> {
        let mut tx = self.db.begin_as_feed().await?;
        let statement = format!(
            "select {COLUMNS} from event where xid < pg_snapshot_xmin(pg_current_snapshot())
             order by xid desc, position desc limit $1"
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(count).fetch_all(&mut *tx).await?;
        Ok(rows.iter().rev().map(|row| Envelope::of_row(row, self.db.schema())).collect::<Result<_, _>>()?)
    }

    /// The events after a cursor that no transaction under way can still precede, oldest first.
    ///
    /// # Errors
    /// 400 for a cursor that is none of ours.
    pub async fn after(&self, cursor: Option<&str>) -> Result<Vec<Envelope>, Problem> {
        after(&self.db, cursor).await
    }
}

/// The events of a service after a cursor that no transaction under way can still precede, oldest first.
///
/// # Errors
/// 400 for a cursor that is none of ours.
pub async fn after(db: &Db, cursor: Option<&str>) -> Result<Vec<Envelope>, Problem> {
    let (xid, position) = parse(cursor.unwrap_or("0-0"))?;
    let mut tx = db.begin_as_feed().await?;
    let statement = format!(
        "select {COLUMNS} from event
         where (xid, position) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
         order by xid, position limit $3"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(xid)
        .bind(position)
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await?;
    Ok(rows.iter().map(|row| Envelope::of_row(row, db.schema())).collect::<Result<_, _>>()?)
}

fn parse(cursor: &str) -> Result<(String, i64), Problem> {
    let parts = cursor
        .split_once('-')
        .and_then(|(xid, position)| Some((xid.parse::<u64>().ok()?.to_string(), position.parse().ok()?)));
    parts
        .ok_or_else(|| Problem::new(Kind::Malformed, "invalid_cursor", "The cursor is not one that we gave."))
}

async fn read(_: Peer, State(feed): State<Feed>, Query(ask): Query<Ask>) -> Result<Response, Problem> {
    let wait = Duration::from_secs(ask.wait.unwrap_or(0));
    let events = feed.wait(ask.after.as_deref(), wait).await?;
    let body = serde_json::to_vec(&events).map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/cloudevents-batch+json")], body).into_response())
}

/// Turns the database's notifications into wake-ups, for as long as the service runs.
async fn listen(db: Db, wake: watch::Sender<()>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            // Nobody reads this feed any more.
            () = wake.closed() => return,
            Err(error) = forward(&db, &wake) => tracing::debug!(%error, "the listener lost its connection"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = wake.closed() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

async fn forward(db: &Db, wake: &watch::Sender<()>) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(db.pool()).await?;
    listener.listen("reservas_events").await?;
    loop {
        let notification = listener.recv().await?;
        if notification.payload() == db.schema() {
            wake.send_replace(());
        }
    }
}
