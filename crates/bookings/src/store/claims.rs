//! Claims: the units that bookings take, found free, written and given up. Only [`super::write`] calls this.
//!
//! **Invariant:** live claims on a unit never overlap. The locks taken before give an orderly answer that names the
//! rivals; the constraint `claim_no_overlap` makes a mistake impossible.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BlackoutId, BookingId, Kind, OrganizationId, ResourceId, Slot};
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;
use uuid::Uuid;

use super::resources::{Tree, nodes};
use crate::booking::{Booking, Taken};
use crate::error::Error;

/// A claim that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// The resource whose unit it has.
    pub resource_id: ResourceId,
    /// Whose it is.
    pub holder: Holder,
    /// When, buffers included.
    pub slot: Slot,
}

/// What is in the way of each booking of a batch, by its place.
pub type Rivals = BTreeMap<usize, Vec<Rival>>;

/// Whose a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A booking's.
    Booking(BookingId),
    /// Nobody's: a blackout's.
    Blackout(BlackoutId),
}

/// What of a resource one booking needs: so many of its units, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// The booking's place in the batch.
    pub place: usize,
    /// The resource.
    pub resource_id: ResourceId,
    /// How many; none means all.
    pub units: Option<i64>,
    /// When, buffers included.
    pub slot: Slot,
}

/// A unit, as it is for one need: free, or with the one claim that may be in the way.
#[derive(Debug)]
pub(super) struct Unit {
    need: usize,
    id: i64,
    rival: Option<(Holder, Slot, Option<Timestamp>)>,
}

impl Unit {
    /// The hold that has run out and still stands here.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<BookingId> {
        match self.rival {
            Some((Holder::Booking(id), _, Some(expires_at))) if expires_at <= now => Some(id),
            _ => None,
        }
    }

    /// A hold that has run out blocks nobody.
    pub(super) fn forget_overdue(&mut self, now: Timestamp) {
        if self.overdue(now).is_some() {
            self.rival = None;
        }
    }
}

/// What bookings need, whole resources with all their parts. A resource that one booking needs twice (the hall and its
/// left half) gives the sum, for the longer time.
pub(super) fn needs<'a>(tree: &Tree, bookings: impl IntoIterator<Item = &'a [Taken]>) -> Vec<Need> {
    let mut needs = BTreeMap::<(usize, ResourceId), Need>::new();
    for (place, taken) in bookings.into_iter().enumerate() {
        for taken in taken {
            let is_whole = tree.get(&taken.resource_id).is_some_and(|resource| !resource.parts.is_empty());
            let units = (!is_whole).then_some(i64::from(taken.units));
            for resource_id in nodes(tree, taken.resource_id) {
                let need = Need { place, resource_id, units, slot: taken.slot };
                needs
                    .entry((place, resource_id))
                    .and_modify(|before| {
                        before.units = before.units.zip(units).map(|(sum, more)| sum + more);
                        before.slot = before.slot.hull(&taken.slot);
                    })
                    .or_insert(need);
            }
        }
    }
    needs.into_values().collect()
}

/// The units in question. Since claims on a unit never overlap, only the last that starts before the end can reach
/// into the slot: one descent of an index for each unit, whatever the length of its history.
pub(super) async fn occupancy(
    tx: &mut Tx,
    organization: OrganizationId,
    needs: &[Need],
) -> Result<Vec<Unit>, Problem> {
    let ids: Vec<Uuid> = needs.iter().map(|need| need.resource_id.0).collect();
    let starts: Vec<jiff_sqlx::Timestamp> =
        needs.iter().map(|need| need.slot.starts_at().to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> = needs.iter().map(|need| need.slot.ends_at().to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"select n.place as "place!", u.id, c.booking_id as "booking_id?", c.blackout_id as "blackout_id?",
                  c.starts_at as "starts_at?", c.ends_at as "ends_at?", c.expires_at as "expires_at?"
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) with ordinality
                as n (resource_id, starts_at, ends_at, place)
           join bookings.unit u on u.organization_id = $1 and u.resource_id = n.resource_id and not u.retired
           left join lateral (
               select booking_id, blackout_id, starts_at, ends_at, expires_at from bookings.claim
               where organization_id = $1 and unit_id = u.id and live and starts_at < n.ends_at
               order by starts_at desc limit 1
           ) c on c.ends_at > n.starts_at
           order by n.place, u.id"#,
        organization.0,
        &ids,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .fetch_all(&mut **tx)
    .await?;
    let units = rows.into_iter().map(|row| {
        let booking = row.booking_id.map(|id| Holder::Booking(BookingId(id)));
        let holder = booking.or(row.blackout_id.map(|id| Holder::Blackout(BlackoutId(id))));
        let times = row.starts_at.zip(row.ends_at);
        let slot =
            times.and_then(|(starts_at, ends_at)| Slot::new(starts_at.to_jiff(), ends_at.to_jiff()).ok());
        let expires_at = row.expires_at.map(jiff_sqlx::Timestamp::to_jiff);
        let rival = holder.zip(slot).map(|(holder, slot)| (holder, slot, expires_at));
        Unit { need: usize::try_from(row.place - 1).unwrap_or(0), id: row.id, rival }
    });
    Ok(units.collect())
}

/// Every hold over some units that has run out and still stands within a span of time.
pub(super) async fn overdue(
    tx: &mut Tx,
    organization: OrganizationId,
    units: &[Unit],
    needs: &[Need],
    now: Timestamp,
) -> Result<Vec<BookingId>, Problem> {
    let span = needs.iter().map(|need| need.slot).reduce(|span, slot| span.hull(&slot));
    let (Some(span), true) = (span, units.iter().any(|unit| unit.overdue(now).is_some())) else {
        return Ok(Vec::new());
    };
    let units: BTreeSet<i64> = units.iter().map(|unit| unit.id).collect();
    let ids = sqlx::query_scalar!(
        r#"select distinct booking_id as "id!" from bookings.claim
           where organization_id = $1 and unit_id = any($2) and live and starts_at < $4 and ends_at > $3
             and expires_at <= $5 and booking_id is not null"#,
        organization.0,
        &units.into_iter().collect::<Vec<_>>(),
        span.starts_at().to_sqlx(),
        span.ends_at().to_sqlx(),
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(BookingId).collect())
}

/// A claim to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    unit_id: i64,
    slot: Slot,
    /// The booking's place in the batch.
    place: usize,
}

/// Free units for the needs, or for each booking that cannot have them what is in its way.
///
/// Units that a booking had before are taken first: a laptop that is extended stays the same laptop.
///
/// # Errors
/// 422 when a resource does not have that many units.
pub(super) fn pick(
    tree: &Tree,
    needs: &[Need],
    units: &[Unit],
    had: &BTreeSet<i64>,
) -> Result<Result<Vec<Pick>, Rivals>, Problem> {
    let mut picked = BTreeMap::<i64, Vec<Pick>>::new();
    let mut rivals = Rivals::new();
    for (number, need) in needs.iter().enumerate() {
        let all = || units.iter().filter(|unit| unit.need == number);
        // Of the batch itself, what was picked just now is as taken as what others have.
        let is_picked = |unit: &Unit| {
            picked.get(&unit.id).is_some_and(|picks| picks.iter().any(|pick| pick.slot.overlaps(&need.slot)))
        };
        let mut free: Vec<&Unit> = all().filter(|unit| unit.rival.is_none() && !is_picked(unit)).collect();
        let has = all().count();
        let needed = need.units.map_or(has, |units| usize::try_from(units).unwrap_or(usize::MAX));
        if needed > has || has == 0 {
            let name = tree.get(&need.resource_id).map(|resource| resource.name.clone()).unwrap_or_default();
            return Err(Error::NotEnoughUnits { name, has: i64::try_from(has).unwrap_or(i64::MAX) }.into());
        }
        if free.len() < needed {
            let taken = all().filter_map(|unit| unit.rival.as_ref());
            let taken = taken.map(|(holder, slot, _)| Rival {
                resource_id: need.resource_id,
                holder: *holder,
                slot: *slot,
            });
            rivals.entry(need.place).or_default().extend(taken);
            continue;
        }
        free.sort_by_key(|unit| (!had.contains(&unit.id), unit.id));
        for unit in free.iter().take(needed) {
            let pick = Pick { unit_id: unit.id, slot: need.slot, place: need.place };
            picked.entry(unit.id).or_default().push(pick);
        }
    }
    if rivals.is_empty() { Ok(Ok(picked.into_values().flatten().collect())) } else { Ok(Err(rivals)) }
}

/// Inserts claims in the order of their units: in random order, two transactions could wait for each other.
pub(super) async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    bookings: &[&Booking],
    mut picks: Vec<Pick>,
) -> Result<(), Problem> {
    picks.sort_unstable();
    let of = |pick: &Pick| bookings[pick.place];
    let ids: Vec<Uuid> = picks.iter().map(|pick| of(pick).id.0).collect();
    let units: Vec<i64> = picks.iter().map(|pick| pick.unit_id).collect();
    let starts: Vec<jiff_sqlx::Timestamp> =
        picks.iter().map(|pick| pick.slot.starts_at().to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> = picks.iter().map(|pick| pick.slot.ends_at().to_sqlx()).collect();
    let expire: Vec<Option<jiff_sqlx::Timestamp>> =
        picks.iter().map(|pick| of(pick).expires_at.map(|at| at.to_sqlx())).collect();
    sqlx::query!(
        "insert into bookings.claim (organization_id, unit_id, booking_id, starts_at, ends_at, expires_at)
         select $1, * from unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])",
        organization.0,
        &units,
        &ids,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
        &expire as &[Option<jiff_sqlx::Timestamp>],
    )
    .execute(&mut **tx)
    .await
    .on_constraint("claim_no_overlap", || {
        // Another run of the transaction finds the rival and names it.
        Problem::new(Kind::Conflict, "slot_taken", "The time is taken.").or_run_again()
    })?;
    Ok(())
}

/// Gives up the live claims of bookings, and tells which units they had.
pub(super) async fn release(
    tx: &mut Tx,
    organization: OrganizationId,
    bookings: &[Uuid],
) -> Result<BTreeSet<i64>, Problem> {
    let units = sqlx::query_scalar!(
        "update bookings.claim set live = false where organization_id = $1 and booking_id = any($2) and live
         returning unit_id",
        organization.0,
        bookings,
    );
    Ok(units.fetch_all(&mut **tx).await?.into_iter().collect())
}

/// Gives up what is left of the live claims of a booking on a resource and its parts after an instant.
pub(super) async fn release_after(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: BookingId,
    resources: &[ResourceId],
    from: Timestamp,
) -> Result<(), Problem> {
    let resources: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update bookings.claim c set live = c.starts_at < $3, ends_at = case when c.starts_at < $3 then $3 else c.ends_at end
         from bookings.unit u
         where c.organization_id = $1 and c.booking_id = $2 and c.live and c.ends_at > $3
           and u.organization_id = $1 and u.id = c.unit_id and u.resource_id = any($4)",
        organization.0,
        booking.0,
        from.to_sqlx(),
        &resources,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A hold's claims hold for good: it was confirmed.
pub(super) async fn keep(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: BookingId,
) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.claim set expires_at = null where organization_id = $1 and booking_id = $2 and live",
        organization.0,
        booking.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
