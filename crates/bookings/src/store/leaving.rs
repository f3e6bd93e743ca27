//! Leaving the waitlist: the entry is withdrawn, and what was held for it is given up.

use platform::db::Tx;
use platform::http::Problem;

use super::bookings::{self, Lock};
use super::told::Told;
use super::write::{self, Act, Change};
use super::{resources, waitlist};
use crate::booking::Status;
use crate::waiting::{Entry, WaitlistStatus};

/// Withdraws an entry as it was seen, unless it is settled.
///
/// # Errors
/// 404 when it is gone, 503 to be run again when it was changed meanwhile; otherwise when the database fails.
pub async fn leave(tx: &mut Tx, act: &Act, seen: &Entry) -> Result<(), Problem> {
    // The hold and its resources before the entry, as all do who confirm, move or cancel one.
    let mut hold = None;
    if let Some(id) = seen.booking_id {
        hold = bookings::load(tx, act.organization, id, Lock::ForUpdate).await?;
        let ids: Vec<_> = hold.iter().flat_map(|one| &one.resources).map(|one| one.resource_id).collect();
        resources::lock(tx, act.organization, &ids).await?;
    }
    let entry = waitlist::find(tx, act.organization, seen.id).await?;
    let entry = entry.ok_or_else(|| Problem::not_found("entry"))?;
    if entry.booking_id != seen.booking_id {
        return Err(Problem::unavailable("busy", "It was changed meanwhile. Try again.", 1).or_run_again());
    }
    if matches!(entry.status, WaitlistStatus::Waiting | WaitlistStatus::Offered) {
        // Withdrawn first: the end of its hold then finds nothing to settle.
        waitlist::save(tx, act, &Entry { status: WaitlistStatus::Withdrawn, ..entry }).await?;
        if let Some(before) = hold.filter(|hold| hold.status == Status::Held)
            && let Ok(after) = before.clone().cancel(true, act.now)
        {
            write::step(tx, act, Change::step(before, after, Told::Cancelled, None)).await?;
        }
    }
    Ok(())
}
