//! What to offer someone whose slot is taken: other times, other resources, a shorter booking.

use jiff::{SignedDuration, Timestamp};
use kernel::{OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::{self, Calendar};
use super::claims::Wanted;
use super::resources::{Resource, Tree, tree};
use crate::free::{free, nearest};

/// Alternatives of one refusal at most.
const MOST: usize = 5;
/// Of these, other times of the same resources at most, so that other resources have their place.
const OTHER_TIMES: usize = 3;
/// How far before and after the wanted time others are looked for.
const AROUND: (SignedDuration, SignedDuration) =
    (SignedDuration::from_hours(24), SignedDuration::from_hours(24 * 7));
/// How many resources of the same type are looked at.
const CANDIDATES: i64 = 50;
/// A shortened booking is at least this long.
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);

/// Something that is free instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Offered {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub name: String,
}

/// Up to five alternatives for a slot that is taken, best first. Other resources are offered for a single unit of a
/// single resource only.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    known: &Tree,
    wanted: &[Wanted],
    slot: &Slot,
    now: Timestamp,
) -> Result<Vec<Alternative>, Problem> {
    let window = Slot::new((slot.starts_at() - AROUND.0).max(now), slot.ends_at() + AROUND.1);
    let Ok(window) = window else { return Ok(Vec::new()) };
    let calendar = calendar::read(tx, organization, known, &window, now).await?;
    let open = open(known, wanted, &calendar, &window);
    let offered: Vec<Offered> =
        wanted.iter().filter_map(|wanted| known.get(&wanted.resource_id)).map(offer).collect();
    let same = |kind, slot: Slot| alternative(kind, offered.clone(), &slot);

    let mut times: Vec<Slot> = open.iter().filter_map(|free| nearest(free, slot, now)).collect();
    times.sort_by_key(|time| time.starts_at().duration_since(slot.starts_at()).abs());
    let mut alternatives: Vec<Alternative> =
        times.into_iter().take(OTHER_TIMES).map(|time| same(AlternativeKind::OtherTime, time)).collect();
    let pieces = open.iter().filter_map(|free| free.within(slot));
    let shortened = pieces.filter(|piece| piece.duration() >= SHORTEST).max_by_key(Slot::duration);
    if let [Wanted { resource_id, units: 1 }] = wanted
        && let Some(resource) = known.get(resource_id)
    {
        let room = MOST - alternatives.len() - usize::from(shortened.is_some());
        let others = other_resources(tx, organization, resource, slot, now).await?;
        alternatives.extend(others.into_iter().take(room));
    }
    alternatives.extend(shortened.map(|piece| same(AlternativeKind::Shortened, piece)));
    Ok(alternatives)
}

/// When all that is wanted is free together.
fn open(known: &Tree, wanted: &[Wanted], calendar: &Calendar, window: &Slot) -> Vec<Slot> {
    let instant = SignedDuration::from_micros(1);
    wanted.iter().fold(vec![*window], |open, wanted| {
        let shape = calendar.shape(known, wanted.resource_id);
        // Several units of a pool at once are offered only when the whole pool is free: simple, and never wrong.
        let shape = crate::free::Shape { together: shape.together || wanted.units > 1, ..shape };
        let free = free(&shape, &calendar.claims, window, instant);
        open.iter().flat_map(|slot| free.iter().filter_map(|other| slot.within(other))).collect()
    })
}

/// Resources of the same type that fit as many people and are free at the time: the least too large first, and
/// those nearby before those far away.
async fn other_resources(
    tx: &mut Tx,
    organization: OrganizationId,
    taken: &Resource,
    slot: &Slot,
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
    let calendar = calendar::read(tx, organization, &candidates, slot, now).await?;
    let others = ids.iter().filter_map(|id| candidates.get(id)).filter(|resource| {
        let shape = calendar.shape(&candidates, resource.id);
        free(&shape, &calendar.claims, slot, slot.duration()).contains(slot)
    });
    Ok(others
        .map(|resource| alternative(AlternativeKind::OtherResource, vec![offer(resource)], slot))
        .collect())
}

fn offer(resource: &Resource) -> Offered {
    Offered { resource_id: resource.id, name: resource.name.clone() }
}

fn alternative(kind: AlternativeKind, resources: Vec<Offered>, slot: &Slot) -> Alternative {
    Alternative { kind, resources, starts_at: slot.starts_at(), ends_at: slot.ends_at() }
}
