//! Forgets people whose account was removed: what they have booked or wait for is given up, and their words are gone.
//! Bookings stay, under the id alone, so that reports and the history of others are right.
//!
//! Each booking is a transaction of its own, and the row that says whom to forget goes last: a process that dies in between
//! leaves nothing half-done that the next round does not do.

use kernel::{BookingId, OrganizationId, UserId};
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::booking::Status;
use crate::store::bookings::{self, Lock};
use crate::store::told::Told;
use crate::store::write::{self, Act, Change};
use crate::store::{erasure, leaving, waitlist};

/// People looked at in one round at most.
const MOST: i64 = 20;
/// Bookings, and places in the waitlist, of one person given up in one round at most; the rest comes in the next.
const PIECE: i64 = 100;
/// Why, in the history.
const REASON: &str = "The account was removed.";

/// Goes on with forgetting, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn erase_people(app: &App) -> Result<(), Problem> {
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!("select organization_id, user_id from bookings.erasure limit $1", MOST)
        .fetch_all(&mut *finder)
        .await?;
    finder.commit().await?;
    for row in due {
        let (organization, user) = (OrganizationId(row.organization_id), UserId(row.user_id));
        if let Err(problem) = one(app, organization, user).await {
            tracing::warn!(%organization, %user, error = problem.detail, "this person will be forgotten later");
        }
    }
    Ok(())
}

async fn one(app: &App, organization: OrganizationId, user: UserId) -> Result<(), Problem> {
    let act = Act { organization, origin: Origin::system(), now: app.context.clock.now() };
    let mut tx = app.context.db.begin(organization).await?;
    // Asked before the look at what there is: what was under way until now is seen by it.
    let is_last_look = erasure::nothing_comes_any_more(&mut tx, organization, user).await?;
    let waits = erasure::waits_for(&mut tx, organization, user, PIECE).await?;
    let booked = erasure::booked(&mut tx, organization, user, act.now, PIECE).await?;
    tx.commit().await?;
    let mut is_whole = waits.len() + booked.len() < usize::try_from(PIECE).unwrap_or(usize::MAX);
    for id in waits {
        let mut tx = app.context.db.begin(organization).await?;
        if let Some(seen) = waitlist::many(&mut tx, organization, &[id]).await?.pop() {
            leaving::leave(&mut tx, &act, &seen).await?;
        }
        tx.commit().await?;
    }
    for id in booked {
        is_whole &= give_up(app, &act, id, user).await?;
    }
    let mut tx = app.context.db.begin(organization).await?;
    erasure::forget_words(&mut tx, organization, user).await?;
    if is_last_look && is_whole {
        erasure::end(&mut tx, organization, user).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Cancels a booking; false when it cannot be yet, because it is about to end by itself.
async fn give_up(app: &App, act: &Act, id: BookingId, user: UserId) -> Result<bool, Problem> {
    let mut tx = app.context.db.begin(act.organization).await?;
    let booking = bookings::load(&mut tx, act.organization, id, Lock::ForUpdate).await?;
    // Handed over meanwhile, or given up as a place in the waitlist.
    let Some(before) = booking.filter(|booking| booking.user_id == user) else { return Ok(true) };
    if !matches!(before.status, Status::Held | Status::Pending | Status::Confirmed) {
        return Ok(true);
    }
    let Ok(after) = before.clone().cancel(true, act.now) else { return Ok(false) };
    write::step(&mut tx, act, Change::step(before, after, Told::Cancelled, Some(REASON.to_owned()))).await?;
    tx.commit().await?;
    Ok(true)
}
