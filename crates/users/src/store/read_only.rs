//! Whether writes are refused in the whole installation, by an administrator's command.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use platform::db::Db;

/// Writes are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOnly {
    /// What clients are told to wait: 1 s to a day.
    pub retry_after_seconds: i32,
    /// Why, for people: 1 to 200 characters.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// What holds; none: writes are taken.
///
/// # Errors
/// When the database fails.
pub async fn load(db: &Db) -> Result<Option<ReadOnly>, sqlx::Error> {
    let mut tx = db.begin_without_organization().await?;
    let query = sqlx::query!(
        r#"select retry_after_seconds, reason, since as "since: jiff_sqlx::Timestamp" from users.read_only"#
    );
    let row = query.fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    Ok(row.map(|row| ReadOnly {
        retry_after_seconds: row.retry_after_seconds,
        reason: row.reason,
        since: row.since.to_jiff(),
    }))
}

/// Turns it on, or changes what is said; since when stays.
///
/// # Errors
/// When the database fails.
pub async fn save(db: &Db, read_only: &ReadOnly) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_without_organization().await?;
    sqlx::query!(
        "insert into users.read_only (retry_after_seconds, reason, since) values ($1, $2, $3)
         on conflict (singleton) do update set retry_after_seconds = $1, reason = $2",
        read_only.retry_after_seconds,
        read_only.reason,
        read_only.since.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Turns it off.
///
/// # Errors
/// When the database fails.
pub async fn end(db: &Db) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_without_organization().await?;
    sqlx::query!("delete from users.read_only").execute(&mut *tx).await?;
    tx.commit().await
}
