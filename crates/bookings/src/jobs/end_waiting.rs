//! Ends the waiting for times that have come.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, WaitlistEntryId};
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::store::waitlist;
use crate::store::write::Act;
use crate::waiting::{Entry, WaitlistStatus};

/// Entries ended in one round at most.
const MOST: i64 = 200;

/// Ends what is due, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn end_waiting(app: &App) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!(
        "select organization_id, id from bookings.waitlist_entry
         where status = 'waiting' and ends_at <= $1 order by ends_at limit $2",
        now.to_sqlx(),
        MOST,
    )
    .fetch_all(&mut *finder)
    .await?;
    finder.commit().await?;
    for row in due {
        let (organization, id) = (OrganizationId(row.organization_id), WaitlistEntryId(row.id));
        // One that fails must not keep the others, of other organizations, from their turn.
        if let Err(problem) = one(app, organization, id, now).await {
            tracing::warn!(%organization, entry = %id, error = problem.detail, "this waiting will be ended later");
        }
    }
    Ok(())
}

async fn one(
    app: &App,
    organization: OrganizationId,
    id: WaitlistEntryId,
    now: Timestamp,
) -> Result<(), Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let entry = waitlist::find(&mut tx, organization, id).await?;
    if let Some(entry) = entry.filter(|entry| entry.status == WaitlistStatus::Waiting) {
        let act = Act { organization, origin: Origin::system(), now };
        waitlist::save(&mut tx, &act, &Entry { status: WaitlistStatus::Expired, ..entry }).await?;
    }
    tx.commit().await?;
    Ok(())
}
