//! Ending holds and requests that ran out: by the timed job, and by any booking that finds one in its way.

use kernel::BookingId;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::Problem;

use super::bookings::{self, Lock};
use super::resources;
use super::told::Told;
use super::write::{Act, Applied, Change, apply};

/// Expires those of the bookings that have run out; tells how many.
///
/// One that somebody else has locked is left alone: waiting for it while holding locks on resources could be a
/// deadlock, and whoever has it is about to end it or to be refused.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, act: &Act, ids: &[BookingId]) -> Result<usize, Problem> {
    let act = Act { origin: Origin { actor: None, on_behalf_of: None, ..act.origin.clone() }, ..act.clone() };
    let mut changes = Vec::new();
    for id in ids {
        let Some(before) = bookings::load(tx, act.organization, *id, Lock::SkipLocked).await? else {
            continue;
        };
        if let Ok(after) = before.clone().expire(act.now) {
            changes.push(Change::step(before, after, Told::Expired, None));
        }
    }
    let ids: Vec<_> = changes
        .iter()
        .flat_map(|change| &change.after.resources)
        .map(|resource| resource.resource_id)
        .collect();
    let tree = resources::lock(tx, act.organization, &ids).await?;
    match Box::pin(apply(tx, &act, &tree, &changes)).await? {
        Applied::Yes => Ok(changes.len()),
        Applied::No(_) => Ok(0),
    }
}
