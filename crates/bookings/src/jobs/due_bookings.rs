//! What happens to bookings by the clock: holds and requests expire, requests escalate, nobody comes, ends pass, owners are
//! reminded. Expired holds have blocked nobody since; this tells their history and their owners.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId};
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::booking::Due;
use crate::store::bookings::{self, Lock};
use crate::store::told::Told;
use crate::store::write::{self, Act, Change};

/// Bookings looked at in one round at most.
const MOST: i64 = 200;

/// Does what is due, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn due_bookings(app: &App) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!(
        "select organization_id, id from bookings.booking where due_at <= $1 order by due_at limit $2",
        now.to_sqlx(),
        MOST,
    )
    .fetch_all(&mut *finder)
    .await?;
    finder.commit().await?;
    for row in due {
        let (organization, id) = (OrganizationId(row.organization_id), BookingId(row.id));
        // One that fails must not keep the others, of other organizations, from their turn.
        if let Err(problem) = one(app, organization, id, now).await {
            tracing::warn!(%organization, booking = %id, error = problem.detail, "what is due will be done later");
        }
    }
    Ok(())
}

/// Several replicas may look at the same booking: the first locks it, the others leave it alone.
async fn one(app: &App, organization: OrganizationId, id: BookingId, now: Timestamp) -> Result<(), Problem> {
    let act = Act { organization, origin: Origin::system(), now };
    let mut tx = app.context.db.begin(organization).await?;
    let Some(mut before) = bookings::load(&mut tx, organization, id, Lock::SkipLocked).await? else {
        return Ok(());
    };
    // A reminder and the end can be due at once, after a long pause.
    while let Some((after, due)) = before.clone().due(now) {
        write::step(&mut tx, &act, Change::step(before, after.clone(), told(due), None)).await?;
        before = after;
    }
    tx.commit().await?;
    Ok(())
}

const fn told(due: Due) -> Told {
    match due {
        Due::Expiry => Told::Expired,
        Due::NoShow => Told::NoShow,
        Due::Completion => Told::Completed,
        Due::Escalation => Told::Escalated,
        Due::Reminder => Told::ReminderDue,
    }
}
