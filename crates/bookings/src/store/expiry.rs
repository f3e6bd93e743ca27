//! Ending holds that ran out: by the timed job, and by any booking that finds one in its way.

use contracts::bookings::BookingExpired;
use jiff::Timestamp;
use kernel::{BookingId, OrganizationId};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::Problem;

use super::bookings::{self, Lock};
use super::claims;

/// Expires those of the bookings that are holds and have run out; tells how many.
///
/// One that somebody else has locked is left alone: waiting for it while holding locks on resources could be a
/// deadlock, and whoever has it is about to end it or to be refused.
///
/// # Errors
/// When the database fails.
pub async fn expire(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[BookingId],
    now: Timestamp,
) -> Result<usize, Problem> {
    let mut expired = 0;
    for id in ids {
        let Some(before) = bookings::load(tx, organization, *id, Lock::SkipLocked).await? else {
            continue;
        };
        let Ok(after) = before.clone().expire(now) else {
            continue;
        };
        claims::release(tx, organization, *id).await?;
        bookings::save(tx, organization, &before, &after).await?;
        let event = BookingExpired { before: Some((&before).into()), booking: (&after).into(), reason: None };
        bookings::tell(tx, organization, &Origin::system(), &after, &event).await?;
        expired += 1;
    }
    Ok(expired)
}
