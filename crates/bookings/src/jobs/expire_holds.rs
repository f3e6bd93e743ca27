//! Ends the holds that ran out, so that their history and their owners learn of it. They have blocked nobody since.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId};
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::store::expiry;
use crate::store::write::Act;

/// Holds ended in one round at most.
const MOST: i64 = 200;

/// Expires what is due, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn expire_holds(app: &App) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!(
        "select organization_id, id from bookings.booking
         where status = 'held' and expires_at <= $1 order by expires_at limit $2",
        now.to_sqlx(),
        MOST,
    )
    .fetch_all(&mut *finder)
    .await?;
    finder.commit().await?;
    for row in due {
        let (organization, id) = (OrganizationId(row.organization_id), BookingId(row.id));
        // One that fails must not keep the others, of other organizations, from their end.
        if let Err(problem) = expire_one(app, organization, id, now).await {
            tracing::warn!(%organization, booking = %id, error = problem.detail, "the hold will be ended later");
        }
    }
    Ok(())
}

async fn expire_one(
    app: &App,
    organization: OrganizationId,
    id: BookingId,
    now: Timestamp,
) -> Result<(), Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let act = Act { organization, origin: Origin::system(), now };
    expiry::expire(&mut tx, &act, &[id]).await?;
    tx.commit().await?;
    Ok(())
}
