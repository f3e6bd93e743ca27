//! A transaction, and the wake-up of those who wait for its events.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otlp::{Kind, Trace};
use sqlx::postgres::PgConnection;
use sqlx::{PgPool, Postgres, Transaction};

/// Commits within so long share a wake-up.
const GATHER: Duration = Duration::from_millis(5);

/// A transaction; rolled back when dropped.
#[derive(Debug)]
pub struct Tx {
    transaction: Transaction<'static, Postgres>,
    wake: Wake,
    tells: bool,
    outcome: Outcome,
}

impl Tx {
    pub(super) const fn new(
        transaction: Transaction<'static, Postgres>,
        wake: Wake,
        outcome: Outcome,
    ) -> Self {
        Self { transaction, wake, tells: false, outcome }
    }

    /// Commits, and wakes whoever waits for the events in it.
    ///
    /// # Errors
    /// When the database fails; what a lost connection leaves open is whether it was committed.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let committed = self.transaction.commit().await;
        self.outcome.of_commit(&committed);
        committed?;
        if self.tells {
            self.wake.soon();
        }
        Ok(())
    }

    /// It has an event: readers of the feed are woken after its commit.
    pub(crate) const fn tells(&mut self) {
        self.tells = true;
    }
}

/// The span of a transaction, where a traced request runs it.
#[derive(Debug)]
pub(super) struct Outcome(Option<Trace>);

impl Outcome {
    /// Begins it, below the span that the running task works for.
    pub(super) fn watch(schema: &'static str) -> Self {
        Self(Trace::current().map(|trace| {
            let span = trace.child("transaction", Kind::Internal);
            span.attribute("db.system.name", "postgresql");
            span.attribute("db.namespace", schema);
            span
        }))
    }

    fn of_commit(mut self, committed: &Result<(), sqlx::Error>) {
        let Some(span) = self.0.take() else { return };
        match committed {
            Ok(()) => span.attribute("db.transaction.outcome", "committed"),
            Err(_) => span.fail("commit"),
        }
        span.end();
    }

    /// There was no connection to be had.
    pub(super) fn of_failure(mut self) {
        if let Some(span) = self.0.take() {
            span.fail("begin");
            span.end();
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if let Some(span) = self.0.take() {
            span.attribute("db.transaction.outcome", "rolled back");
            span.end();
        }
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Wakes the readers of a schema's feed, on every replica.
///
/// Not by a `NOTIFY` in the transaction itself: PostgreSQL lets only one transaction that notifies commit at a time
/// (`PreCommit_Notify` holds a lock on the database until the commit is flushed), so that commits would queue up behind
/// the disk instead of sharing its flushes. A wake-up that is lost costs a reader a moment: it looks again by itself.
#[derive(Debug, Clone)]
pub(super) struct Wake {
    pool: PgPool,
    schema: &'static str,
    /// Whether one is on its way that has not been sent yet.
    coming: Arc<AtomicBool>,
}

impl Wake {
    pub(super) fn new(pool: PgPool, schema: &'static str) -> Self {
        Self { pool, schema, coming: Arc::default() }
    }

    fn soon(self) {
        if self.coming.swap(true, Ordering::SeqCst) {
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            // Before it is sent: what is committed from here on may be too late for it, and asks for the next.
            self.coming.store(false, Ordering::SeqCst);
            let sent = sqlx::query("select pg_notify('reservas_events', $1)").bind(self.schema);
            if let Err(error) = sent.execute(&self.pool).await {
                tracing::debug!(%error, "readers of the feed were not woken");
            }
        });
    }
}
