//! What to offer someone whose slot is taken: other times, other resources, a shorter booking.

use jiff::{SignedDuration, Timestamp};
use kernel::{OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::{self, Calendar};
use super::known::Known;
use super::resources::{Resource, tree};
use super::rules::Rulebook;
use crate::booking::{Booking, Wanted};
use crate::free::{bookable, free, nearest};

/// Alternatives of one refusal at most.
const MOST: usize = 5;
/// Of these, other times of the same resources at most, so that other resources have their place.
const OTHER_TIMES: usize = 3;
/// How far before and after the wanted time others are looked for.
const AROUND: (SignedDuration, SignedDuration) =
    (SignedDuration::from_hours(24), SignedDuration::from_hours(24 * 7));
/// How many resources of the same type are looked at.
const CANDIDATES: i64 = 50;
/// The widest window that is looked at; what is refused for being endless gets no alternatives.
const WIDEST: SignedDuration = SignedDuration::from_hours(24 * 60);
/// People begin on a quarter of an hour, in seconds.
const QUARTER: i64 = 900;
/// A shortened booking is at least this long.
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);

/// Something that is free instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alternative {
    /// What is different.
    pub kind: AlternativeKind,
    /// The resources, in the order of the request.
    pub resources: Vec<Offered>,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// What is different about an alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlternativeKind {
    /// The same resources at another time.
    OtherTime,
    /// Another resource at the same time.
    OtherResource,
    /// The same resources for a part of the time.
    Shortened,
}

/// A resource of an alternative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offered {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub name: String,
}

/// Up to five alternatives for a booking that is refused, best first, all of which the rules allow. Other resources are
/// offered for a single unit of a single resource only.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    known: &Known,
    booking: &Booking,
    now: Timestamp,
) -> Result<Vec<Alternative>, Problem> {
    let slot = booking.slot;
    let around = slot.padded(AROUND.0, AROUND.1);
    let window = Slot::new(around.starts_at().max(now), around.ends_at());
    let Some(window) = window.ok().filter(|window| window.duration() <= WIDEST) else {
        return Ok(Vec::new());
    };
    let calendar = calendar::read(tx, organization, &known.tree, &window, now).await?;
    let open = open(known, booking, &calendar, &window);
    let fits = |slot: &Slot| {
        let asked = Booking { slot: *slot, ..booking.clone() };
        known.verdict(&asked, None, now).broken.is_empty()
    };
    let offered: Vec<Offered> =
        booking.resources.iter().filter_map(|one| known.tree.get(&one.resource_id)).map(offer).collect();
    let same = |kind, slot: Slot| alternative(kind, offered.clone(), &slot);

    let mut times: Vec<Slot> = open
        .iter()
        .flat_map(|free| nearest(free, &slot, now).into_iter().flat_map(|time| on_the_hour(time, free)))
        .filter(|time| *time != slot)
        .collect();
    times.sort_by_key(|time| (time.starts_at().duration_since(slot.starts_at()).abs(), *time));
    times.dedup();
    let mut alternatives: Vec<Alternative> = times
        .into_iter()
        .filter(|time| fits(time))
        .take(OTHER_TIMES)
        .map(|time| same(AlternativeKind::OtherTime, time))
        .collect();
    let pieces = open.iter().filter_map(|free| free.within(&slot));
    let shortened = pieces
        .filter(|piece| piece.duration() >= SHORTEST && *piece != slot && fits(piece))
        .max_by_key(Slot::duration);
    if let [Wanted { resource_id, units: 1 }] = booking.wanted()[..]
        && let Some(resource) = known.tree.get(&resource_id)
    {
        let room = MOST - alternatives.len() - usize::from(shortened.is_some());
        let others = other_resources(tx, organization, known, resource, booking, now).await?;
        alternatives.extend(others.into_iter().take(room));
    }
    alternatives.extend(shortened.map(|piece| same(AlternativeKind::Shortened, piece)));
    Ok(alternatives)
}

/// A time, and those nearby that begin on a quarter of an hour, where rules want them to.
fn on_the_hour(time: Slot, free: &Slot) -> impl Iterator<Item = Slot> {
    let start = time.starts_at().as_second();
    let quarters = [start.div_euclid(QUARTER) * QUARTER, (start + QUARTER - 1).div_euclid(QUARTER) * QUARTER];
    let (free, length) = (*free, time.duration());
    let rounded = quarters.into_iter().filter_map(move |second| {
        let starts_at = Timestamp::from_second(second).ok()?;
        let slot = Slot::new(starts_at, starts_at.checked_add(length).ok()?).ok()?;
        (slot.within(&free) == Some(slot)).then_some(slot)
    });
    std::iter::once(time).chain(rounded)
}

/// When all that is wanted is free together, with room for what is kept free around it.
pub(super) fn open(known: &Known, booking: &Booking, calendar: &Calendar, window: &Slot) -> Vec<Slot> {
    let instant = SignedDuration::from_micros(1);
    let items = known.items(booking, &known.person(booking.user_id));
    items.iter().fold(vec![*window], |open, item| {
        let shape = calendar.shape(&known.tree, item.resource_id);
        // Several units of a pool at once are offered only when the whole pool is free: simple, and never wrong.
        let shape = crate::free::Shape { together: shape.together || item.units > 1, ..shape };
        let free = free(&shape, &calendar.claims, window, instant);
        let bookable: Vec<Slot> = free.iter().flat_map(|slot| bookable(item, slot)).collect();
        open.iter().flat_map(|slot| bookable.iter().filter_map(|other| slot.within(other))).collect()
    })
}

/// Resources of the same type that fit as many people and are free at the time: the least too large first, and
/// those nearby before those far away.
async fn other_resources(
    tx: &mut Tx,
    organization: OrganizationId,
    known: &Known,
    taken: &Resource,
    booking: &Booking,
    now: Timestamp,
) -> Result<Vec<Alternative>, Problem> {
    let path: Vec<Uuid> = taken.location_path.iter().map(|id| id.0).collect();
    let ids = sqlx::query_scalar!(
        "select id from bookings.resource
         where organization_id = $1 and lower(type_name) = lower($2) and status = 'active' and id <> $3
           and ($4::int is null or seats >= $4)
         order by cardinality(array(select unnest(location_path) intersect select unnest($5::uuid[]))) desc, seats, name, id
         limit $6",
        organization.0,
        taken.type_name,
        taken.id.0,
        taken.seats,
        &path,
        CANDIDATES,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ids: Vec<ResourceId> = ids.into_iter().map(ResourceId).collect();
    let candidates = tree(tx, organization, &ids).await?;
    // Wide enough for what is kept free around a booking.
    let window = booking.slot.padded(AROUND.0, AROUND.0);
    let calendar = calendar::read(tx, organization, &candidates, &window, now).await?;
    let people = [booking.user_id, known.actor.id];
    let book = Rulebook::load(tx, organization, &candidates, &people).await?;
    let candidates = Known::new(candidates, book, known.actor.clone());
    let others = ids.iter().filter_map(|id| candidates.tree.get(id)).filter(|resource| {
        let asked = Booking { resources: vec![resource.booked(1)], ..booking.clone() };
        let free = open(&candidates, &asked, &calendar, &window);
        free.iter().any(|free| booking.slot.within(free) == Some(booking.slot))
            && candidates.sees(resource.id)
            && candidates.verdict(&asked, None, now).broken.is_empty()
    });
    Ok(others
        .map(|resource| alternative(AlternativeKind::OtherResource, vec![offer(resource)], &booking.slot))
        .collect())
}

fn offer(resource: &Resource) -> Offered {
    Offered { resource_id: resource.id, name: resource.name.clone() }
}

fn alternative(kind: AlternativeKind, resources: Vec<Offered>, slot: &Slot) -> Alternative {
    Alternative { kind, resources, starts_at: slot.starts_at(), ends_at: slot.ends_at() }
}
