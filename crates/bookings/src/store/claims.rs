//! The one write path: every claim of every booking is written here, and nowhere else.
//!
//! **Invariant:** live claims on a unit never overlap. The locks taken here give an orderly answer that names the
//! rivals; the constraint `claim_no_overlap` makes a mistake impossible.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, Kind, OrganizationId, ResourceId, Slot};
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;
use uuid::Uuid;

use super::expiry;
use super::resources::{Tree, nodes, tree};
use crate::error::Error;

/// Rounds of clearing away expired holds before giving up; each clears at least one.
const ROUNDS: usize = 50;

/// A resource that a booking is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The resource.
    pub resource_id: ResourceId,
    /// How many of its units; 1 for a whole of parts, which is taken entirely.
    pub units: i32,
}

/// A claim that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// The resource whose unit it has.
    pub resource_id: ResourceId,
    /// The booking it belongs to.
    pub booking_id: BookingId,
    /// When.
    pub slot: Slot,
}

/// How placing claims ended.
#[derive(Debug)]
pub enum Placed {
    /// The claims are written.
    Yes,
    /// Nothing is written; these are in the way.
    No(Vec<Rival>),
}

/// Locks the rows of the resources concerned, with all their parts, in id order, and gives them as they are then.
///
/// # Errors
/// When the database fails, or others hold the locks for too long.
pub async fn lock(tx: &mut Tx, organization: OrganizationId, ids: &[ResourceId]) -> Result<Tree, Problem> {
    let known: Vec<Uuid> = tree(tx, organization, ids).await?.keys().map(|id| id.0).collect();
    sqlx::query!(
        "select id from bookings.resource where organization_id = $1 and id = any($2) order by id for no key update",
        organization.0,
        &known,
    )
    .fetch_all(&mut **tx)
    .await?;
    // Read again under the locks: the parts may have changed while we waited.
    let tree = tree(tx, organization, ids).await?;
    if tree.keys().any(|id| !known.contains(&id.0)) {
        return Err(again("The parts of the resource were changed meanwhile."));
    }
    Ok(tree)
}

/// Writes the claims of a booking, all or none. The resources are locked, and the booking has no live claims.
///
/// # Errors
/// 422 when a resource does not have that many units; otherwise when the database fails.
pub async fn place(
    tx: &mut Tx,
    organization: OrganizationId,
    tree: &Tree,
    booking: &crate::booking::Booking,
    wanted: &[Wanted],
) -> Result<Placed, Problem> {
    let demand = demand(tree, wanted);
    for _ in 0..ROUNDS {
        let units = occupancy(tx, organization, &demand, &booking.slot).await?;
        let overdue: Vec<BookingId> =
            units.iter().filter_map(|unit| unit.overdue(booking.updated_at)).collect();
        if expiry::expire(tx, organization, &overdue, booking.updated_at).await? > 0 {
            continue;
        }
        if !overdue.is_empty() {
            return Err(again("An expired hold is being ended."));
        }
        return match pick(tree, &demand, &units)? {
            Picked::Units(units) => write(tx, organization, booking, units).await.map(|()| Placed::Yes),
            Picked::Rivals(rivals) => Ok(Placed::No(rivals)),
        };
    }
    Err(again("Too many expired holds were in the way."))
}

/// Gives up the live claims of a booking.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, organization: OrganizationId, booking: BookingId) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.claim set live = false where organization_id = $1 and booking_id = $2 and live",
        organization.0,
        booking.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives up what is left of the live claims of a booking from an instant on.
///
/// # Errors
/// When the database fails.
pub async fn release_from(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: BookingId,
    from: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.claim set live = starts_at < $3, ends_at = case when starts_at < $3 then $3 else ends_at end
         where organization_id = $1 and booking_id = $2 and live and ends_at > $3",
        organization.0,
        booking.0,
        from.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A hold's claims hold for good: it was confirmed.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, organization: OrganizationId, booking: BookingId) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.claim set expires_at = null where organization_id = $1 and booking_id = $2 and live",
        organization.0,
        booking.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many units of each resource are needed; none means all of them.
type Demand = BTreeMap<ResourceId, Option<i64>>;

fn demand(tree: &Tree, wanted: &[Wanted]) -> Demand {
    let mut demand = Demand::new();
    for wanted in wanted {
        let is_whole = tree.get(&wanted.resource_id).is_some_and(|resource| !resource.parts.is_empty());
        for node in nodes(tree, wanted.resource_id) {
            let more = (!is_whole).then_some(i64::from(wanted.units));
            let sum = demand.entry(node).or_insert(Some(0));
            *sum = sum.zip(more).map(|(sum, more)| sum + more);
        }
    }
    demand
}

/// A unit and the one claim on it that may be in the way.
struct Unit {
    id: i64,
    resource_id: ResourceId,
    rival: Option<(BookingId, Slot, Option<Timestamp>)>,
}

impl Unit {
    fn overdue(&self, now: Timestamp) -> Option<BookingId> {
        self.rival
            .as_ref()
            .filter(|(.., expires_at)| expires_at.is_some_and(|at| at <= now))
            .map(|(id, ..)| *id)
    }
}

/// The units in question. Since claims on a unit never overlap, only the last that starts before the end can reach
/// into the slot: one descent of an index for each unit, whatever the length of its history.
async fn occupancy(
    tx: &mut Tx,
    organization: OrganizationId,
    demand: &Demand,
    slot: &Slot,
) -> Result<Vec<Unit>, Problem> {
    let ids: Vec<Uuid> = demand.keys().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select u.id, u.resource_id, c.booking_id as "booking_id?", c.starts_at as "starts_at?", c.ends_at as "ends_at?",
                  c.expires_at as "expires_at?"
           from bookings.unit u
           left join lateral (
               select booking_id, starts_at, ends_at, expires_at from bookings.claim
               where organization_id = u.organization_id and unit_id = u.id and live and starts_at < $4
               order by starts_at desc limit 1
           ) c on c.ends_at > $3
           where u.organization_id = $1 and u.resource_id = any($2) and not u.retired
           order by u.id"#,
        organization.0,
        &ids,
        slot.starts_at().to_sqlx(),
        slot.ends_at().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let units = rows.into_iter().map(|row| {
        let times = row.starts_at.zip(row.ends_at);
        let slot =
            times.and_then(|(starts_at, ends_at)| Slot::new(starts_at.to_jiff(), ends_at.to_jiff()).ok());
        let expires_at = row.expires_at.map(jiff_sqlx::Timestamp::to_jiff);
        let rival = row.booking_id.zip(slot).map(|(booking, slot)| (BookingId(booking), slot, expires_at));
        Unit { id: row.id, resource_id: ResourceId(row.resource_id), rival }
    });
    Ok(units.collect())
}

enum Picked {
    Units(Vec<i64>),
    Rivals(Vec<Rival>),
}

/// Free units for the demand, or everything that is in the way.
fn pick(tree: &Tree, demand: &Demand, units: &[Unit]) -> Result<Picked, Problem> {
    let (mut picked, mut rivals) = (Vec::new(), Vec::new());
    for (resource, count) in demand {
        let (free, taken): (Vec<_>, Vec<_>) =
            units.iter().filter(|unit| unit.resource_id == *resource).partition(|unit| unit.rival.is_none());
        let has = i64::try_from(free.len() + taken.len()).unwrap_or(i64::MAX);
        let needed = count.unwrap_or(has);
        if needed > has || has == 0 {
            let name = tree.get(resource).map(|resource| resource.name.clone()).unwrap_or_default();
            return Err(Error::NotEnoughUnits { name, has }.into());
        }
        let needed = usize::try_from(needed).unwrap_or(usize::MAX);
        if free.len() >= needed {
            picked.extend(free.iter().take(needed).map(|unit| unit.id));
            continue;
        }
        rivals.extend(taken.iter().filter_map(|unit| unit.rival.as_ref()).map(|(booking_id, slot, _)| {
            Rival { resource_id: *resource, booking_id: *booking_id, slot: *slot }
        }));
    }
    if rivals.is_empty() { Ok(Picked::Units(picked)) } else { Ok(Picked::Rivals(rivals)) }
}

/// Inserts the claims in the order of their units: in random order, two transactions could wait for each other.
async fn write(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: &crate::booking::Booking,
    mut units: Vec<i64>,
) -> Result<(), Problem> {
    units.sort_unstable();
    sqlx::query!(
        "insert into bookings.claim (organization_id, unit_id, booking_id, starts_at, ends_at, expires_at)
         select $1, unit_id, $3, $4, $5, $6 from unnest($2::bigint[]) unit_id",
        organization.0,
        &units,
        booking.id.0,
        booking.slot.starts_at().to_sqlx(),
        booking.slot.ends_at().to_sqlx(),
        booking.expires_at.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("claim_no_overlap", || again("The time is taken."))?;
    Ok(())
}

/// A conflict that another run of the transaction explains better.
fn again(detail: &str) -> Problem {
    Problem::new(Kind::Conflict, "slot_taken", detail).or_run_again()
}
