//! Reading one stream back: the history of an aggregate.

use kernel::OrganizationId;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::envelope::{COLUMNS, Envelope};
use crate::db::Tx;

/// The events of a stream after a version, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn history(
    tx: &mut Tx,
    organization: OrganizationId,
    stream_id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Envelope>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS} from event
         where organization_id = $1 and stream_id = $2 and stream_version > $3
         order by stream_version limit $4"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(organization.0)
        .bind(stream_id)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| Envelope::of_row(row, "")).collect()
}

/// Whether the hash chain of a stream is unbroken; false shows that a row was changed behind our back.
///
/// # Errors
/// When the database fails.
pub async fn verify(tx: &mut Tx, organization: OrganizationId, stream_id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(bool_and(hash = expected and stream_version = number), true) from (
             select e.hash, e.stream_version, row_number() over chain as number,
                    event_hash(lag(e.hash) over chain, e) as expected
             from event e where organization_id = $1 and stream_id = $2
             window chain as (order by stream_version)
         ) links",
    )
    .bind(organization.0)
    .bind(stream_id)
    .fetch_one(&mut **tx)
    .await
}
