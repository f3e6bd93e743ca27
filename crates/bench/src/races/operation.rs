//! The operations that race, and what each needs to be there before.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::{ResourceId, Role};
use serde_json::{Value, json};
use testkit::Person;

use super::caller::{Ask, Caller};
use super::{APPLICANTS, RESOURCES, WAITING};
use crate::creating::base;
use crate::{Outcome, names};

/// Something that takes a slot, or frees or keeps it for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    Move,
    Approve,
    Extend,
    Reinstate,
    Series,
    /// The slot is taken, and changes hands with a booking elsewhere.
    Swap,
    /// The slot is taken, is given up, and goes to who waits for it.
    Promote,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Move,
        Self::Approve,
        Self::Extend,
        Self::Reinstate,
        Self::Series,
        Self::Swap,
        Self::Promote,
    ];

    /// Whether it takes a slot that is free; the others begin with one that is taken.
    pub const fn takes(self) -> bool {
        !matches!(self, Self::Swap | Self::Promote)
    }

    /// What has to be made first is made first: a request or a cancelled booking before the slot is taken.
    const fn order(self) -> u8 {
        match self {
            Self::Reinstate => 0,
            Self::Approve => 1,
            _ => 2,
        }
    }
}

/// The slot of a round, and where its contenders come from.
#[derive(Debug, Clone)]
pub struct Place {
    /// The resource that is fought for.
    pub resource: ResourceId,
    /// From when on; for an hour.
    pub at: Timestamp,
    from: [ResourceId; 2],
}

impl Place {
    /// A slot of its own for each round: four hours apart on each resource.
    pub fn of(round: u64) -> Self {
        let (number, stretch) = (round % RESOURCES, i64::try_from(round / RESOURCES).unwrap_or(0));
        let at = base() + SignedDuration::from_hours(49 + 4 * stretch);
        let resource = |group: u64| names::resource(1, group * RESOURCES + number + 1);
        Self { resource: resource(0), at, from: [resource(1), resource(2)] }
    }

    /// An instant so many minutes after the slot's start.
    pub fn minute(&self, minutes: i64) -> Timestamp {
        self.at + SignedDuration::from_mins(minutes)
    }
}

/// One of a pair, ready to go.
pub struct Contender {
    /// What it does.
    pub operation: Operation,
    /// Its request.
    pub ask: Ask,
    /// The bookings it changes, and who may see them.
    pub changes: Vec<String>,
}

/// Somebody who books, by round.
pub fn somebody(round: u64) -> Person {
    names::person(1, 2 + round % 64, Role::User)
}

fn manager() -> Person {
    names::person(1, 1, Role::Manager)
}

/// A key that no other request has.
pub fn key() -> Option<String> {
    Some(format!("{:032x}", rand::random::<u128>()))
}

/// A request for a booking, from and to so many minutes after the slot's start.
pub fn create(person: Person, place: &Place, resource: ResourceId, from: i64, to: i64) -> Ask {
    let (starts_at, ends_at) = (place.minute(from), place.minute(to));
    let body = json!({ "resource_id": resource, "starts_at": starts_at, "ends_at": ends_at });
    Ask { person, path: "/api/v1/bookings".to_owned(), key: key(), body }
}

fn step(person: Person, id: &str, verb: &str, body: Value) -> Ask {
    Ask { person, path: format!("/api/v1/bookings/{id}/{verb}"), key: None, body }
}

/// Makes what both contenders need. None when a kill got in between.
pub async fn prepare(
    caller: &mut Caller,
    round: u64,
    place: &Place,
    operations: [Operation; 2],
) -> Outcome<Option<[Contender; 2]>> {
    let occupied = operations.iter().any(|operation| !operation.takes());
    let mut order = [0, 1];
    order.sort_by_key(|side| operations[*side].order());
    let mut ready = [None, None];
    let mut taken = None;
    for side in order {
        // The slot is taken once what needs it free is prepared, for both sides.
        if occupied && taken.is_none() && operations[side].order() == 2 {
            let reply = made(caller, &create(somebody(round), place, place.resource, 0, 60)).await?;
            let Some(id) = reply else { return Ok(None) };
            taken = Some(id);
        }
        ready[side] = contender(caller, round, place, operations[side], side, taken.as_deref()).await?;
        if ready[side].is_none() {
            return Ok(None);
        }
    }
    let [one, other] = ready;
    Ok(one.zip(other).map(|(one, other)| [one, other]))
}

/// The id of what a request made.
async fn made(caller: &mut Caller, ask: &Ask) -> Outcome<Option<String>> {
    let Some(reply) = caller.ask(ask).await? else { return Ok(None) };
    let body = reply.json();
    match body["id"].as_str() {
        Some(id) if reply.status < 300 => Ok(Some(id.to_owned())),
        _ => Err(format!("a race cannot be prepared: {} {} {body}", reply.status, ask.path).into()),
    }
}

async fn contender(
    caller: &mut Caller,
    round: u64,
    place: &Place,
    operation: Operation,
    side: usize,
    taken: Option<&str>,
) -> Outcome<Option<Contender>> {
    let who = somebody(round);
    let own = who.clone();
    let book = |resource, from, to| create(own.clone(), place, resource, from, to);
    let first = match operation {
        Operation::Create | Operation::Series => None,
        Operation::Move | Operation::Swap => Some(book(place.from[side], 0, 60)),
        Operation::Approve => {
            let many = APPLICANTS.end - APPLICANTS.start;
            let applicant = names::person(1, APPLICANTS.start + round % many, Role::User);
            Some(create(applicant, place, place.resource, 0, 60))
        }
        Operation::Extend if side == 0 => Some(book(place.resource, -60, 0)),
        Operation::Extend => Some(book(place.resource, 60, 120)),
        Operation::Reinstate => Some(book(place.resource, 0, 60)),
        Operation::Promote => {
            // Who loses goes on waiting, and nobody may wait for more than twenty times at once.
            let many = WAITING.end - WAITING.start;
            let waiting = names::person(1, WAITING.start + (2 * round + side as u64) % many, Role::User);
            let entry = create(waiting, place, place.resource, 0, 60);
            Some(Ask { path: "/api/v1/waitlist".to_owned(), ..entry })
        }
    };
    let made = match &first {
        Some(first) => match made(caller, first).await? {
            Some(id) => id,
            None => return Ok(None),
        },
        None => String::new(),
    };
    let hour = json!({ "starts_at": place.minute(0), "ends_at": place.minute(60) });
    let occupant = taken.unwrap_or_default();
    let (ask, changes) = match operation {
        Operation::Create => (book(place.resource, 0, 60), vec![]),
        Operation::Series => (series(who, place), vec![]),
        Operation::Move => {
            let mut to = hour;
            to["resource_id"] = json!(place.resource);
            (step(who, &made, "move", to), vec![made])
        }
        Operation::Approve => (step(manager(), &made, "approve", json!({})), vec![made]),
        Operation::Extend if side == 0 => (
            step(who, &made, "move", json!({ "starts_at": place.minute(-60), "ends_at": place.minute(30) })),
            vec![made],
        ),
        Operation::Extend => (
            step(who, &made, "move", json!({ "starts_at": place.minute(15), "ends_at": place.minute(120) })),
            vec![made],
        ),
        Operation::Reinstate => {
            let cancelled = self::made(caller, &step(who.clone(), &made, "cancel", json!({}))).await?;
            if cancelled.is_none() {
                caller.world.model.doubt(&made);
                return Ok(None);
            }
            (step(who, &made, "reinstate", json!({})), vec![made])
        }
        Operation::Swap => {
            (step(manager(), occupant, "swap", json!({ "with": made })), vec![occupant.to_owned(), made])
        }
        Operation::Promote => (step(who, occupant, "cancel", json!({})), vec![occupant.to_owned()]),
    };
    Ok(Some(Contender { operation, ask, changes }))
}

/// A series whose first occurrence is the slot.
fn series(person: Person, place: &Place) -> Ask {
    let body = json!({
        "resource_id": place.resource, "starts_at": place.minute(0).to_zoned(TimeZone::UTC).datetime(),
        "duration_minutes": 60, "time_zone": "UTC", "rule": "FREQ=YEARLY;COUNT=1",
    });
    Ask { person, path: "/api/v1/series".to_owned(), key: key(), body }
}

/// The status of a series on a slot that no round has.
pub async fn probe_series(caller: &mut Caller) -> Outcome<u16> {
    let place = Place::of(0);
    let early = Place { at: place.at - SignedDuration::from_hours(24), ..place };
    let reply = caller.ask(&series(somebody(0), &early)).await?;
    Ok(reply.map_or(0, |reply| reply.status))
}

/// The manager, who sees every booking.
pub fn observer() -> Person {
    manager()
}
