//! Ends the holds that ran out, so that their history and their owners learn of it. They have blocked nobody since.

use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId};
use platform::http::Problem;

use crate::App;
use crate::store::expiry;

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
        let organization = OrganizationId(row.organization_id);
        let mut tx = app.context.db.begin(organization).await?;
        expiry::expire(&mut tx, organization, &[BookingId(row.id)], now).await?;
        tx.commit().await?;
    }
    Ok(())
}
