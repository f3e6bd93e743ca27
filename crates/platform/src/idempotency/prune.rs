//! Forgetting answers that are too old to be replayed: they hold what people sent, and are kept no longer than needed.

use std::sync::Arc;
use std::time::Duration;

use jiff_sqlx::ToSqlx as _;
use kernel::{Clock, OrganizationId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::KEPT;
use crate::db::Db;

/// How often old answers are looked for.
const EVERY: Duration = Duration::from_secs(600);

/// Forgets old answers until the process stops. Replicas may do so at once.
pub async fn run(db: Db, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        if !db.takes_writes().await {
            continue;
        }
        if let Err(error) = prune(&db, &*clock).await {
            tracing::warn!(%error, "old idempotency keys will be forgotten later");
        }
    }
}

/// Forgets the answers that are older than a day, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn prune(db: &Db, clock: &dyn Clock) -> Result<(), sqlx::Error> {
    let before = (clock.now() - KEPT).to_sqlx();
    let mut finder = db.begin_as_finder().await?;
    let due = "select distinct organization_id from idempotency_key where created_at <= $1";
    let organizations: Vec<Uuid> = sqlx::query_scalar(due).bind(before).fetch_all(&mut *finder).await?;
    finder.commit().await?;
    for organization in organizations {
        let mut tx = db.begin(OrganizationId(organization)).await?;
        let delete = "delete from idempotency_key where organization_id = $1 and created_at <= $2";
        sqlx::query(delete).bind(organization).bind(before).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}
