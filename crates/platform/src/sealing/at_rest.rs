//! What stands sealed in a service's database: in which columns, by which keys, and how one key follows another.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff_sqlx::ToSqlx as _;
use kernel::OrganizationId;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::{Error, Place};
use crate::db::Tx;
use crate::http::Problem;
use crate::service::Context;

/// Values sealed anew in one transaction at most.
const BATCH: usize = 200;
/// Organizations looked up at once.
const PAGE: i64 = 200;
/// How long to wait before the database is asked again that did not answer at the start.
const AGAIN: Duration = Duration::from_secs(5);

/// A column of sealed values in rows of organizations. The service's finder must be allowed to see `organization_id` of its
/// table.
#[derive(Debug)]
pub struct Column {
    /// Schema, table and column, as in [`Place`].
    pub name: &'static str,
    /// The column that names the row within its organization.
    pub key: &'static str,
    /// Bytes of the values from before there were sealed ones, which are sealed at the first start; none otherwise.
    pub plain: Option<usize>,
}

/// Seals what belongs to no organization with the first key, where it is not yet, and tells how many values that were.
pub type SealOthers = for<'a> fn(&'a Context) -> BoxFuture<'a, Result<usize, Problem>>;

/// All that a service keeps sealed. A column that is not named here stays with the key that it was sealed with first.
/// Its schema has a table `sealing_key` with the ids of the keys in use.
#[derive(Debug)]
pub struct Sealed {
    /// The service's schema.
    pub schema: &'static str,
    /// Columns in rows of organizations.
    pub columns: &'static [Column],
    /// What belongs to no organization.
    pub others: Option<SealOthers>,
}

/// Why values cannot be sealed and opened yet.
#[derive(Debug)]
pub enum Unready {
    /// Without other keys nothing will do; a line for the operator.
    Keys(String),
    /// The database does not answer, or takes no writes.
    Database(Problem),
}

impl From<Problem> for Unready {
    fn from(problem: Problem) -> Self {
        Self::Database(problem)
    }
}

impl From<sqlx::Error> for Unready {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl std::fmt::Display for Unready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keys(line) => f.write_str(line),
            Self::Database(problem) => f.write_str(&problem.detail),
        }
    }
}

/// What a change to another key has come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Values that were sealed with another key, or not at all.
    pub values: usize,
    /// Ids of the keys that nothing is sealed with any more.
    pub retired: BTreeSet<String>,
}

impl Sealed {
    /// Prepares a service that starts; once the database answers, when it does not yet.
    ///
    /// # Errors
    /// A line for the operator, when there is no key, or one that is in use is missing.
    pub async fn start(&'static self, context: &Context) -> Result<(), String> {
        match self.prepare(context).await {
            Ok(()) => {}
            Err(Unready::Keys(line)) => return Err(line),
            Err(Unready::Database(problem)) => {
                tracing::warn!(code = problem.code, "whether the sealing keys are right is not known yet");
                tokio::spawn(self.prepare_later(context.clone()));
            }
        }
        Ok(())
    }

    async fn prepare_later(&'static self, context: Context) {
        let mut tick = tokio::time::interval(AGAIN);
        loop {
            tokio::select! {
                () = context.shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            match self.prepare(&context).await {
                Ok(()) => return,
                Err(Unready::Keys(line)) => return tracing::error!("{line}"),
                Err(Unready::Database(problem)) => {
                    tracing::debug!(code = problem.code, "no sealing keys yet");
                }
            }
        }
    }

    /// Makes sure that every key in use was handed in, and, before the first one is used, seals what stands there from
    /// before. Replicas take turns: of two that were handed different keys the second is refused.
    ///
    /// # Errors
    /// When there is no key, or one that is in use is missing; or when the database fails.
    pub async fn prepare(&self, context: &Context) -> Result<(), Unready> {
        let ids: Vec<String> = context.keyring.ids().iter().map(ToString::to_string).collect();
        let sealing = ids.first().ok_or_else(|| Unready::Keys(Error::NoKey.to_string()))?;
        let mut tx = context.db.begin_without_organization().await?;
        self.lock(&mut tx).await?;
        let used = self.used(&mut tx).await?;
        let lost: Vec<_> = used.iter().filter(|id| !ids.contains(id)).map(String::as_str).collect();
        if !lost.is_empty() {
            return Err(Unready::Keys(format!(
                "secrets in the database are sealed with the key {}, which was not handed in (but {}): put it back from the \
                 backup into RESERVAS_SEALING_KEYS or RESERVAS_SEALING_KEY_FILE; without it they cannot be read",
                lost.join(", "),
                ids.join(", ")
            )));
        }
        if used.is_empty() {
            self.seal_all(context).await?;
        }
        // Nothing is written when it is known, so that a database that takes no writes can be started on.
        if !used.contains(sealing) {
            let statement =
                format!("insert into {}.sealing_key (id, first_used_at) values ($1, $2)", self.schema);
            let insert =
                sqlx::query(AssertSqlSafe(statement)).bind(sealing).bind(context.clock.now().to_sqlx());
            insert.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Seals everything with the first key, so that the others are needed no more.
    ///
    /// # Errors
    /// When a value cannot be opened; what was sealed anew before it stays so. Or when the database fails.
    pub async fn reseal(&self, context: &Context) -> Result<Resealed, Unready> {
        self.prepare(context).await?;
        let ids = context.keyring.ids();
        let sealing = ids.first().ok_or_else(|| Unready::Keys(Error::NoKey.to_string()))?.to_string();
        let mut tx = context.db.begin_without_organization().await?;
        self.lock(&mut tx).await?;
        let values = self.seal_all(context).await?;
        let statement = format!("delete from {}.sealing_key where id <> $1 returning id", self.schema);
        let retired = sqlx::query_scalar(AssertSqlSafe(statement)).bind(sealing).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(Resealed { values, retired: retired.into_iter().collect() })
    }

    /// One at a time in the installation.
    async fn lock(&self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        let name = format!("reservas.{}.sealing_key", self.schema);
        sqlx::query("select pg_advisory_xact_lock(hashtext($1))").bind(name).execute(&mut **tx).await?;
        Ok(())
    }

    async fn used(&self, tx: &mut Tx) -> Result<Vec<String>, sqlx::Error> {
        let statement = format!("select id from {}.sealing_key order by id", self.schema);
        sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut **tx).await
    }

    /// Seals everything that the first key has not sealed; how many values that were.
    async fn seal_all(&self, context: &Context) -> Result<usize, Problem> {
        let mut sealed = match self.others {
            Some(others) => others(context).await?,
            None => 0,
        };
        for column in self.columns {
            sealed += column.seal_all(context).await?;
        }
        Ok(sealed)
    }
}

impl Column {
    /// The table and its column.
    fn parts(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or((self.name, ""))
    }

    async fn seal_all(&self, context: &Context) -> Result<usize, Problem> {
        let (mut sealed, mut after) = (0, Uuid::nil());
        loop {
            let page = self.organizations(context, after).await?;
            let Some(last) = page.last() else { return Ok(sealed) };
            after = *last;
            for organization in page {
                while let done @ 1.. = self.seal_some(context, OrganizationId(organization)).await? {
                    sealed += done;
                }
            }
        }
    }

    /// Organizations that have such values, by id, which never changes: none is passed over.
    async fn organizations(&self, context: &Context, after: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
        let statement = format!(
            "select distinct organization_id from {} where organization_id > $1 order by organization_id limit $2",
            self.parts().0
        );
        let mut tx = context.db.begin_as_finder().await?;
        sqlx::query_scalar(AssertSqlSafe(statement)).bind(after).bind(PAGE).fetch_all(&mut *tx).await
    }

    /// Seals some values of an organization anew; none when all are.
    async fn seal_some(&self, context: &Context, organization: OrganizationId) -> Result<usize, Problem> {
        let keyring = &context.keyring;
        let ((table, value), key) = (self.parts(), self.key);
        let mark = keyring.mark()?;
        let mut tx = context.db.begin(organization).await?;
        let statement = format!(
            "select {key}, {value} from {table} where organization_id = $1 and substring({value} from 1 for $2) <> $3
             limit {BATCH} for no key update"
        );
        let length = i32::try_from(mark.len()).unwrap_or(i32::MAX);
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(organization.0).bind(length).bind(&mark);
        let rows = rows.fetch_all(&mut *tx).await?;
        for row in &rows {
            let (id, kept): (Uuid, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let place = Place { column: self.name, organization: Some(organization), row: id };
            let sealed = if self.plain == Some(kept.len()) {
                keyring.seal(&place, &kept)?
            } else {
                keyring.seal(&place, keyring.open(&place, &kept)?.expose())?
            };
            let statement =
                format!("update {table} set {value} = $3 where organization_id = $1 and {key} = $2");
            let update = sqlx::query(AssertSqlSafe(statement)).bind(organization.0).bind(id).bind(&sealed);
            update.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }
}
