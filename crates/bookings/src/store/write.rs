//! The one write path: whatever is done to bookings ends here, and claims are written nowhere else.
//!
//! Create, confirm, approve, move, swap, waitlist and all others hand over bookings as they were and as they are
//! to be. What they took before is given up, what they take now is claimed, all of it or nothing; then the credit, the
//! events, and those who waited for what was freed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kernel::{OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::Problem;

use super::claims::{self, Rival, Rivals};
use super::resources::{Tree, nodes};
use super::told::Told;
use super::{blackouts, bookings, conflicts, credits, expiry, past, resources, waitlist};
use crate::booking::{Booking, Status, Taken};

/// Rounds of clearing away expired holds before giving up; each clears all that are there.
const ROUNDS: usize = 5;

/// Who does something, and when.
#[derive(Debug, Clone)]
pub struct Act {
    /// In which organization.
    pub organization: OrganizationId,
    /// Who, in which request.
    pub origin: Origin,
    /// When.
    pub now: Timestamp,
}

/// What is to become of a booking.
#[derive(Debug, Clone)]
pub struct Change {
    /// As it was, locked; none for a new one.
    pub before: Option<Booking>,
    /// As it is to be.
    pub after: Booking,
    /// What the event tells.
    pub told: Told,
    /// Why, in the words of who does it.
    pub reason: Option<String>,
}

impl Change {
    /// A new booking.
    #[must_use]
    pub fn create(booking: Booking) -> Self {
        let told = Told::made(booking.status);
        Self { before: None, after: booking, told, reason: None }
    }

    /// A step of a booking's life.
    #[must_use]
    pub fn step(before: Booking, after: Booking, told: Told, reason: Option<String>) -> Self {
        Self { before: Some(before), after, told, reason }
    }

    fn taken_before(&self) -> Vec<Taken> {
        self.before.as_ref().map(Booking::takes).unwrap_or_default()
    }

    /// Whether it takes other units or another time than before. One that ended early only gives up the rest.
    fn takes_anew(&self) -> bool {
        let before = self.taken_before();
        !self.ends_early() && before != self.after.takes()
    }

    fn ends_early(&self) -> bool {
        self.after.released_at.is_some() && matches!(self.after.status, Status::Completed | Status::NoShow)
    }
}

/// How a batch ended.
#[derive(Debug)]
pub enum Applied {
    /// All of it is written.
    Yes,
    /// Nothing may be kept: for each booking, by its place in the batch, what is in its way.
    No(Rivals),
}

/// Applies changes, all or none. The tree holds the resources of all of them, before and after, and is locked.
///
/// # Errors
/// 422 when a resource does not have that many units, or somebody not enough credit; otherwise when the database fails.
pub async fn apply(tx: &mut Tx, act: &Act, tree: &Tree, changes: &[Change]) -> Result<Applied, Problem> {
    let anew: Vec<&Change> = changes.iter().filter(|change| change.takes_anew()).collect();
    let given_up: Vec<_> = anew.iter().filter(|change| !change.taken_before().is_empty()).collect();
    let ids: Vec<_> = given_up.iter().map(|change| change.after.id.0).collect();
    let had =
        if ids.is_empty() { BTreeSet::new() } else { claims::release(tx, act.organization, &ids).await? };
    close(tx, act, tree, changes).await?;
    for change in changes {
        match &change.before {
            None => bookings::insert(tx, act.organization, &change.after).await?,
            Some(before) => bookings::save(tx, act.organization, before, &change.after).await?,
        }
    }
    let places: Vec<usize> = (0..changes.len()).filter(|place| changes[*place].takes_anew()).collect();
    let taking: Vec<&Booking> = anew.iter().map(|change| &change.after).collect();
    if let Err(rivals) = place(tx, act, tree, &taking, &had).await? {
        return Ok(Applied::No(rivals.into_iter().map(|(place, rivals)| (places[place], rivals)).collect()));
    }
    for change in changes.iter().filter(|change| !change.takes_anew()) {
        settle_claims(tx, act, tree, change).await?;
    }
    credits::settle(tx, act, changes).await?;
    for change in changes {
        let reason = change.reason.clone();
        change.told.tell(tx, act, change.before.as_ref(), &change.after, reason).await?;
        if let (Some(before), Some(entry)) = (&change.before, change.after.terms.waitlist)
            && before.status == Status::Held
        {
            waitlist::settle(tx, act, entry, &change.after).await?;
        }
    }
    for change in changes {
        keep_records(tx, act, change).await?;
    }
    for change in changes {
        hand_on(tx, act, tree, change).await?;
    }
    Ok(Applied::Yes)
}

/// What one of several gives up and another would come to goes to the blackouts over it first: who stood there before
/// was let stay, but nobody is let in. Of a single booking nothing can come to what it gives up itself.
async fn close(tx: &mut Tx, act: &Act, tree: &Tree, changes: &[Change]) -> Result<(), Problem> {
    if changes.len() < 2 {
        return Ok(());
    }
    let mut coming = BTreeMap::<ResourceId, Vec<(usize, Slot)>>::new();
    for (place, change) in changes.iter().enumerate() {
        for taken in change.after.takes() {
            for node in nodes(tree, taken.resource_id) {
                coming.entry(node).or_default().push((place, taken.slot));
            }
        }
    }
    for (place, change) in changes.iter().enumerate().filter(|(_, change)| change.takes_anew()) {
        for taken in change.taken_before() {
            for node in nodes(tree, taken.resource_id) {
                let Some(coming) = coming.get(&node) else { continue };
                let (own, others): (Vec<_>, Vec<_>) =
                    coming.iter().copied().partition(|(comes, _)| *comes == place);
                let kept: Vec<Slot> = own.into_iter().map(|(_, slot)| slot).collect();
                let given_up = taken.slot.minus(&kept).into_iter();
                for rest in given_up.filter(|rest| others.iter().any(|(_, slot)| slot.overlaps(rest))) {
                    blackouts::fill(tx, act.organization, &[node], &rest).await?;
                }
            }
        }
    }
    Ok(())
}

/// Where a booking was before, and that nobody has to look at it any more.
async fn keep_records(tx: &mut Tx, act: &Act, change: &Change) -> Result<(), Problem> {
    let Some(before) = &change.before else { return Ok(()) };
    let after = &change.after;
    if before.slot != after.slot || before.resources != after.resources {
        past::moved(tx, act.organization, before).await?;
    }
    if before.flag.is_some() && (before.flag != after.flag || !after.stands()) {
        conflicts::close(tx, act, after.id).await?;
    }
    Ok(())
}

/// What a booking no longer takes: first to blackouts that it stood in the way of, then to those who wait.
async fn hand_on(tx: &mut Tx, act: &Act, tree: &Tree, change: &Change) -> Result<(), Problem> {
    let (before, after) = (change.taken_before(), change.after.takes());
    for taken in before.into_iter().filter(|taken| !after.contains(taken)) {
        let Ok(rest) = Slot::new(taken.slot.starts_at().max(act.now), taken.slot.ends_at()) else { continue };
        let resources = nodes(tree, taken.resource_id);
        blackouts::fill(tx, act.organization, &resources, &rest).await?;
        waitlist::serve(tx, act, &resources, &rest).await?;
    }
    Ok(())
}

/// Applies a step that asks for no other time or resource, and locks what it frees.
///
/// # Errors
/// When the database fails.
pub async fn step(tx: &mut Tx, act: &Act, change: Change) -> Result<(), Problem> {
    let frees = change.taken_before() != change.after.takes();
    let ids: Vec<ResourceId> = change.after.resources.iter().map(|one| one.resource_id).collect();
    let tree = if frees { resources::lock(tx, act.organization, &ids).await? } else { Tree::new() };
    match apply(tx, act, &tree, &[change]).await? {
        Applied::Yes => Ok(()),
        Applied::No(_) => Err(Problem::internal(&"a step that takes nothing met a rival")),
    }
}

/// Claims that stay where they are: a hold that was confirmed holds for good, what ended early gives up the rest.
async fn settle_claims(tx: &mut Tx, act: &Act, tree: &Tree, change: &Change) -> Result<(), Problem> {
    if change.ends_early() {
        let kept = change.after.takes();
        if kept.is_empty() {
            // Given up before it began.
            claims::release(tx, act.organization, &[change.after.id.0]).await?;
        }
        for taken in kept {
            let resources = nodes(tree, taken.resource_id);
            let from = taken.slot.ends_at();
            claims::release_after(tx, act.organization, change.after.id, &resources, from).await?;
        }
        return Ok(());
    }
    let was_held = change.before.as_ref().is_some_and(|before| before.status == Status::Held);
    if was_held && change.after.expires_at.is_none() {
        claims::keep(tx, act.organization, change.after.id).await?;
    }
    Ok(())
}

/// What stands in the way of a booking, without writing anything: for those who are told why they are refused.
///
/// # Errors
/// When the database fails, or a resource does not have that many units.
pub async fn rivals(tx: &mut Tx, act: &Act, tree: &Tree, booking: &Booking) -> Result<Vec<Rival>, Problem> {
    Ok(rivals_of(tx, act, tree, &[booking]).await?.remove(&0).unwrap_or_default())
}

/// The same for each booking of a batch, in one look, by its place; they are each other's rivals as well.
///
/// # Errors
/// When the database fails, or a resource does not have that many units.
pub async fn rivals_of(
    tx: &mut Tx,
    act: &Act,
    tree: &Tree,
    bookings: &[&Booking],
) -> Result<Rivals, Problem> {
    let taken: Vec<Vec<Taken>> = bookings.iter().map(|booking| booking.takes()).collect();
    let needs = claims::needs(tree, taken.iter().map(Vec::as_slice));
    let mut units = claims::occupancy(tx, act.organization, &needs).await?;
    units.iter_mut().for_each(|unit| unit.forget_overdue(act.now));
    let picked = claims::pick(tree, &needs, &units, &BTreeSet::new())?;
    Ok(picked.err().unwrap_or_default())
}

/// Claims what bookings take, all or none; expired holds in the way are ended first.
async fn place(
    tx: &mut Tx,
    act: &Act,
    tree: &Tree,
    bookings: &[&Booking],
    had: &BTreeSet<i64>,
) -> Result<Result<(), Rivals>, Problem> {
    let taken: Vec<Vec<Taken>> = bookings.iter().map(|booking| booking.takes()).collect();
    let needs = claims::needs(tree, taken.iter().map(Vec::as_slice));
    if needs.is_empty() {
        return Ok(Ok(()));
    }
    for _ in 0..ROUNDS {
        let units = claims::occupancy(tx, act.organization, &needs).await?;
        let overdue = claims::overdue(tx, act.organization, &units, &needs, act.now).await?;
        if overdue.is_empty() {
            return match claims::pick(tree, &needs, &units, had)? {
                Ok(picks) => claims::insert(tx, act.organization, bookings, picks).await.map(Ok),
                Err(rivals) => Ok(Err(rivals)),
            };
        }
        if expiry::expire(tx, act, &overdue).await? == 0 {
            break;
        }
    }
    // Somebody else is ending it right now.
    Err(Problem::unavailable("busy", "Others are changing the same thing right now. Try again.", 1)
        .or_run_again())
}
