//! What stands sealed in the database: where, by which keys, and how one key follows another.

use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use platform::sealing::{self, Place};
use platform::service::Context;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::signing_keys;

/// The secrets of apps that make codes.
pub const TOTP_SECRET: &str = "users.totp.secret";
/// What identity providers know us by.
pub const CLIENT_SECRET: &str = "users.single_sign_on.client_secret";

/// A column of sealed values in rows of organizations. A new one needs its line in [`COLUMNS`], or its values stay with the
/// key that they were sealed with first.
struct Column {
    /// Schema, table and column.
    name: &'static str,
    /// The column that names the row within its organization.
    key: &'static str,
    /// Bytes of the values from before there were sealed ones, which are sealed at the first start; none otherwise.
    plain: Option<usize>,
}

const COLUMNS: &[Column] = &[
    Column { name: TOTP_SECRET, key: "user_id", plain: Some(crate::second_factor::SECRET) },
    Column { name: CLIENT_SECRET, key: "organization_id", plain: None },
];

/// Values sealed anew in one transaction at most.
const BATCH: usize = 200;
/// Organizations looked up at once.
const PAGE: i64 = 200;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// Values that were sealed with another key, or not at all.
    pub values: usize,
    /// Ids of the keys that nothing is sealed with any more.
    pub retired: Vec<String>,
}

/// Makes sure that every key in use was handed in, and, before the first one is used, seals what stands there from before.
/// Replicas take turns: of two that were handed different keys the second is refused.
///
/// # Errors
/// When there is no key, or one that is in use is missing; or when the database fails.
pub async fn prepare(context: &Context) -> Result<(), Unready> {
    let ids: Vec<String> = context.keyring.ids().iter().map(ToString::to_string).collect();
    let sealing = ids.first().ok_or_else(|| Unready::Keys(sealing::Error::NoKey.to_string()))?;
    let mut tx = context.db.begin_without_organization().await?;
    lock(&mut tx).await?;
    let used = used(&mut tx).await?;
    let lost: Vec<_> = used.iter().filter(|id| !ids.contains(id)).map(String::as_str).collect();
    if !lost.is_empty() {
        return Err(Unready::Keys(format!(
            "secrets in the database are sealed with the key {}, which was not handed in (but {}): put it back from the \
             backup into RESERVAS_SEALING_KEYS or RESERVAS_SEALING_KEY_FILE; without it nobody can sign in",
            lost.join(", "),
            ids.join(", ")
        )));
    }
    if used.is_empty() {
        seal_all(context).await?;
    }
    keep(&mut tx, sealing, context).await?;
    tx.commit().await?;
    Ok(())
}

/// Seals everything with the first key, so that the others are needed no more.
///
/// # Errors
/// When a value cannot be opened; what was sealed anew before it stays so. Or when the database fails.
pub async fn reseal(context: &Context) -> Result<Resealed, Unready> {
    prepare(context).await?;
    let ids = context.keyring.ids();
    let sealing = ids.first().ok_or_else(|| Unready::Keys(sealing::Error::NoKey.to_string()))?.to_string();
    let mut tx = context.db.begin_without_organization().await?;
    lock(&mut tx).await?;
    let values = seal_all(context).await?;
    let retired = sqlx::query_scalar!("delete from users.sealing_key where id <> $1 returning id", sealing);
    let retired = retired.fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(Resealed { values, retired })
}

/// One at a time in the installation.
async fn lock(tx: &mut Tx) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('reservas.users.sealing_key'))::text")
        .fetch_one(&mut **tx)
        .await?;
    Ok(())
}

async fn used(tx: &mut Tx) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!("select id from users.sealing_key order by id").fetch_all(&mut **tx).await
}

/// Writes down that a key is in use; nothing when it is known, so that a database that takes no writes can be started on.
async fn keep(tx: &mut Tx, id: &str, context: &Context) -> Result<(), sqlx::Error> {
    if used(tx).await?.iter().any(|known| known == id) {
        return Ok(());
    }
    let now = context.clock.now().to_sqlx();
    sqlx::query!("insert into users.sealing_key (id, first_used_at) values ($1, $2)", id, now as _)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Seals everything that the first key has not sealed; how many values that were.
async fn seal_all(context: &Context) -> Result<usize, Problem> {
    let mut sealed = signing_keys::seal(context).await?;
    let mut after = OrganizationId(Uuid::nil());
    loop {
        // By id, which never changes: one that is renamed meanwhile is not passed over.
        let mut tx = context.db.begin_as_finder().await?;
        let page = sqlx::query_scalar!(
            r#"select organization_id as "id: OrganizationId" from users.organization
               where organization_id > $1 order by organization_id limit $2"#,
            after.0,
            PAGE,
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some(last) = page.last() else { return Ok(sealed) };
        after = *last;
        for organization in page {
            for column in COLUMNS {
                while let done @ 1.. = seal_some(context, organization, column).await? {
                    sealed += done;
                }
            }
        }
    }
}

/// Seals some values of an organization anew; none when all are.
async fn seal_some(
    context: &Context,
    organization: OrganizationId,
    column: &Column,
) -> Result<usize, Problem> {
    let keyring = &context.keyring;
    let (table, value) = column.name.rsplit_once('.').unwrap_or((column.name, ""));
    let key = column.key;
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
        let place = Place { column: column.name, organization: Some(organization), row: id };
        let sealed = if column.plain == Some(kept.len()) {
            keyring.seal(&place, &kept)?
        } else {
            keyring.seal(&place, keyring.open(&place, &kept)?.expose())?
        };
        let statement = format!("update {table} set {value} = $3 where organization_id = $1 and {key} = $2");
        let update = sqlx::query(AssertSqlSafe(statement)).bind(organization.0).bind(id).bind(&sealed);
        update.execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}

/// Where the secret of an account's app stands.
#[must_use]
pub const fn totp(organization: OrganizationId, user: UserId) -> Place {
    Place { column: TOTP_SECRET, organization: Some(organization), row: user.0 }
}

/// Where the secret stands that an organization has from its identity provider.
#[must_use]
pub const fn client_secret(organization: OrganizationId) -> Place {
    Place { column: CLIENT_SECRET, organization: Some(organization), row: organization.0 }
}
