//! PostgreSQL for a service: its pool, and transactions that belong to one organization.

pub mod constraint;
pub mod migrate;
mod transaction;

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::OrganizationId;
use otlp::Tracing;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

pub use constraint::OnConstraint;
pub use transaction::Tx;
use transaction::{Outcome, Wake};

use crate::events::Progress;

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE: Duration = Duration::from_secs(5);

/// A service's database: every query runs in a transaction opened here.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    schema: &'static str,
    wake: Wake,
    /// Whether it was said that the database takes no writes.
    said_read_only: Arc<AtomicBool>,
    traces: Option<Tracing>,
    progress: Progress,
}

/// Where and how a service connects.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `postgres://…`.
    pub url: String,
    /// Take on the service's role after the log-in, because the URL's own is another (the owner's).
    pub assume_role: bool,
    /// Connections at most.
    pub max_connections: u32,
}

impl Db {
    /// Opens the pool lazily: a database that is down shows in readiness and in 503s, not in a service that won't start.
    ///
    /// # Errors
    /// When the URL cannot be parsed.
    pub fn connect(settings: &Settings, schema: &'static str) -> Result<Self, sqlx::Error> {
        let mut parameters = vec![
            ("search_path", schema.to_owned()),
            ("statement_timeout", "30s".to_owned()),
            ("lock_timeout", "10s".to_owned()),
            ("idle_in_transaction_session_timeout", "60s".to_owned()),
            ("timezone", "UTC".to_owned()),
        ];
        if settings.assume_role {
            parameters.push(("role", role(schema)));
        }
        let options = PgConnectOptions::from_str(&settings.url)?
            .application_name(&role(schema))
            .options(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .min_connections(1)
            .acquire_timeout(ACQUIRE)
            .max_lifetime(Duration::from_secs(1800))
            .connect_lazy_with(options);
        let wake = Wake::new(pool.clone(), schema);
        Ok(Self {
            wake,
            pool,
            schema,
            traces: None,
            progress: Progress::default(),
            said_read_only: Arc::default(),
        })
    }

    /// The same, of a service whose work is traced.
    #[must_use]
    pub fn traced(self, traces: Option<Tracing>) -> Self {
        Self { traces, ..self }
    }

    /// What makes the service's spans, when traces are on.
    #[must_use]
    pub const fn traces(&self) -> Option<&Tracing> {
        self.traces.as_ref()
    }

    /// How far the service has read the feeds of others.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A transaction for one organization: row-level security shows its rows and no others.
    /// `begin` and the setting are one round trip.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self, organization: OrganizationId) -> Result<Tx, sqlx::Error> {
        // A UUID's text has nothing that could end the literal.
        let statement = format!("begin; set local reservas.organization = '{organization}'");
        self.begin_with(statement).await
    }

    /// The same, for a write whose statements find their rows by keys: each has one plan, whatever its arguments, and is
    /// not planned anew every time, which costs a booking a fifth of its time. Not for lists with filters that may be absent.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_planned(&self, organization: OrganizationId) -> Result<Tx, sqlx::Error> {
        self.begin_with(format!(
            "begin; set local reservas.organization = '{organization}'; set local plan_cache_mode = force_generic_plan"
        ))
        .await
    }

    /// A transaction in which nothing of any organization is visible, for what belongs to none.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_without_organization(&self) -> Result<Tx, sqlx::Error> {
        self.watched(self.pool.begin()).await
    }

    /// A transaction as the role that may find work across organizations (ids and due times), and nothing else.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_as_finder(&self) -> Result<Tx, sqlx::Error> {
        self.begin_as("finder").await
    }

    /// A transaction as the role that may read the events of all organizations, and nothing else.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_as_feed(&self) -> Result<Tx, sqlx::Error> {
        self.begin_as("feed").await
    }

    async fn begin_as(&self, part: &str) -> Result<Tx, sqlx::Error> {
        let statement = format!("begin; set local role {}_{part}", role(self.schema));
        self.begin_with(statement).await
    }

    async fn begin_with(&self, statement: String) -> Result<Tx, sqlx::Error> {
        self.watched(self.pool.begin_with(AssertSqlSafe(statement))).await
    }

    async fn watched(
        &self,
        begin: impl Future<Output = Result<Transaction<'static, Postgres>, sqlx::Error>>,
    ) -> Result<Tx, sqlx::Error> {
        let outcome = Outcome::watch(self.schema);
        match begin.await {
            Ok(transaction) => Ok(Tx::new(transaction, self.wake.clone(), outcome)),
            Err(error) => {
                outcome.of_failure();
                Err(error)
            }
        }
    }

    /// Whether the database takes writes; false also when it does not answer. For what runs by itself and would fail again and
    /// again: it waits instead. The log says once that it stops, and once that it goes on.
    pub async fn takes_writes(&self) -> bool {
        let Ok(read_only) = self.is_read_only().await else { return false };
        if self.said_read_only.swap(read_only, Ordering::AcqRel) != read_only {
            if read_only {
                tracing::warn!(schema = self.schema, "the database is read-only: what runs by itself waits");
            } else {
                tracing::info!(schema = self.schema, "the database takes writes again");
            }
        }
        !read_only
    }

    /// Whether the database, or this server of it, can only be read.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn is_read_only(&self) -> Result<bool, sqlx::Error> {
        // A standby is read-only whatever its settings say.
        sqlx::query_scalar("select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean")
            .fetch_one(&self.pool)
            .await
    }

    /// The pool, for what is no query: listening, readiness, metrics.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Gives the connections back, so that a server that stops next finds none; waits for those in use, not forever. Sends
    /// the last spans.
    pub async fn close(&self) {
        if tokio::time::timeout(ACQUIRE, self.pool.close()).await.is_err() {
            tracing::warn!(schema = self.schema, "connections were still in use");
        }
        if let Some(traces) = &self.traces {
            traces.shutdown().await;
        }
    }

    /// The service's schema.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.schema
    }
}

/// The login role of the service that owns a schema.
#[must_use]
pub fn role(schema: &str) -> String {
    format!("reservas_{schema}")
}
