//! A booking of higher priority takes the place of others, where the rules over these allow it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::{BookingId, ResourceId};
use platform::db::Tx;
use platform::http::Problem;
use serde_json::json;

use crate::booking::{Booking, Status};
use crate::store::bookings::{self, Lock};
use crate::store::claims::{Holder, Rival};
use crate::store::known::Known;
use crate::store::resources::Tree;
use crate::store::rules::Rulebook;
use crate::store::told::Told;
use crate::store::write::{Act, Change};
use crate::store::{alternatives, calendar, conflicts, resources};

/// Bookings that one takes the place of at most.
const MOST: usize = 20;

/// The rivals that have to make way, those of rounds before among them; none when one of them does not.
///
/// # Errors
/// When the database fails.
pub async fn losers(
    tx: &mut Tx,
    act: &Act,
    tree: &Tree,
    winner: &Booking,
    before: &BTreeSet<BookingId>,
    rivals: &[Rival],
) -> Result<Option<BTreeSet<BookingId>>, Problem> {
    let mut losers = before.clone();
    let calendar = calendar::read(tx, act.organization, tree, &winner.slot, act.now).await?;
    for rival in rivals {
        // Of a pool, which of several would have to go cannot be said.
        if calendar.units.get(&rival.resource_id).is_none_or(|units| units.len() > 1) {
            return Ok(None);
        }
        let Holder::Booking(id) = rival.holder else { return Ok(None) };
        let rival = bookings::load(tx, act.organization, id, Lock::None).await?;
        let Some(rival) = rival else { return Ok(None) };
        if before.contains(&id) || !makes_way(tx, act, &rival, winner.priority).await? {
            return Ok(None);
        }
        losers.insert(id);
    }
    Ok((!rivals.is_empty() && losers.len() <= MOST).then_some(losers))
}

/// Locks those that have to make way, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, act: &Act, losers: &BTreeSet<BookingId>) -> Result<Vec<Booking>, Problem> {
    let mut locked = Vec::new();
    for id in losers {
        locked.extend(bookings::load(tx, act.organization, *id, Lock::ForUpdate).await?);
    }
    Ok(locked)
}

/// What becomes of those that are locked: given up, without a fee. One that has changed meanwhile stays, and is in the way.
///
/// # Errors
/// When the database fails.
pub async fn changes(
    tx: &mut Tx,
    act: &Act,
    winner: &Booking,
    losers: Vec<Booking>,
) -> Result<Vec<Change>, Problem> {
    let mut changes = Vec::new();
    for before in losers {
        if !makes_way(tx, act, &before, winner.priority).await? {
            continue;
        }
        let reason = format!("{} has a higher priority.", winner.reference);
        let after = before.clone().preempt(act.now)?;
        changes.push(Change::step(before, after, Told::Cancelled, Some(reason)));
    }
    Ok(changes)
}

/// Tells those who lost their place what is free instead.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &mut Tx, act: &Act, winner: &Booking, changes: &[Change]) -> Result<(), Problem> {
    for loser in changes.iter().filter_map(|change| change.before.as_ref()) {
        let known = known(tx, act, loser).await?;
        let found = alternatives::find(tx, act.organization, &known, loser, act.now).await?;
        let rival = json!({
            "booking_id": winner.id,
            "starts_at": winner.slot.starts_at(),
            "ends_at": winner.slot.ends_at(),
        });
        conflicts::preempted(tx, act, loser, rival, found).await?;
    }
    Ok(())
}

/// Whether a booking makes way for one of a priority: it has not begun, and all rules over it say so.
async fn makes_way(tx: &mut Tx, act: &Act, booking: &Booking, priority: i32) -> Result<bool, Problem> {
    if booking.priority >= priority || !may_lose(booking, act.now) {
        return Ok(false);
    }
    let known = known(tx, act, booking).await?;
    let items = known.items(booking, &known.actor);
    Ok(items.len() == booking.resources.len() && items.iter().all(|item| item.rules.preemptible))
}

fn may_lose(booking: &Booking, now: Timestamp) -> bool {
    let is_early = matches!(booking.status, Status::Held | Status::Pending | Status::Confirmed);
    is_early && booking.slot.starts_at() > now
}

/// The resources of a booking and their rules, as its owner has them.
async fn known(tx: &mut Tx, act: &Act, booking: &Booking) -> Result<Known, Problem> {
    let ids: Vec<ResourceId> = booking.resources.iter().map(|one| one.resource_id).collect();
    let tree = resources::tree(tx, act.organization, &ids).await?;
    let book = Rulebook::load(tx, act.organization, &tree, &[booking.user_id]).await?;
    let owner = book.someone(booking.user_id);
    Ok(Known::new(tree, book, owner))
}
