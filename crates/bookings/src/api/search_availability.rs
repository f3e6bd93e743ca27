//! `GET /api/v1/availability`: the resources that fit a need and are free for it, best first.

use axum::extract::State;
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use kernel::role::BookingsOwn;
use kernel::{LocationId, OrganizationId, ResourceId, Slot};
use platform::auth::Can;
use platform::db::Tx;
use platform::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::get_free_busy::{bookable_times, wide, window};
use crate::App;
use crate::attributes::{self, Condition};
use crate::free::{free, starts};
use crate::policy::Item;
use crate::quote::Quote;
use crate::store::calendar;
use crate::store::known::Known;
use crate::store::resources::{self, Resource};

/// Resources of which the calendars are read at once, beyond those that would be enough if all were free.
const CHUNK: i64 = 100;
/// Free intervals shown of each resource.
const INTERVALS: usize = 3;
/// Resources in an answer when the caller does not say.
const DEFAULT_LIMIT: usize = 20;

/// The need.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Need {
    /// Start of the window, with an offset.
    #[garde(skip)]
    #[param(example = "2026-11-23T13:00:00Z")]
    pub from: Timestamp,
    /// End of the window, at most 93 days later.
    #[garde(skip)]
    #[param(example = "2026-11-23T18:00:00Z")]
    pub to: Timestamp,
    /// How long it is needed, in minutes: 1 to 44640; the whole window when absent.
    #[garde(range(min = 1, max = 44640))]
    #[param(minimum = 1, maximum = 44640, example = 90)]
    pub duration_minutes: Option<i64>,
    /// The name of its type.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200, example = "meeting room")]
    pub r#type: Option<String>,
    /// People who must fit.
    #[garde(range(min = 1))]
    #[param(minimum = 1, example = 8)]
    pub seats: Option<i32>,
    /// Names of amenities it must have, separated by commas.
    #[garde(length(chars, max = 1000))]
    #[param(max_length = 1000, example = "projector")]
    pub amenities: Option<String>,
    /// It must be at this place, or below it.
    #[garde(skip)]
    pub location_id: Option<LocationId>,
    /// What its attributes must be, separated by commas: `colour=red,doors>=4,weight<=20`. At most 20.
    #[garde(length(chars, max = 1000))]
    #[param(max_length = 1000, example = "doors>=4")]
    pub attributes: Option<String>,
    /// A part of its name.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Resources in the answer: 1 to 100, 20 when absent.
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<usize>,
}

/// What fits the need, best first: those with the fewest seats too many, then by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Availability {
    /// The resources.
    pub items: Vec<Available>,
}

/// A resource that fits the need.
#[derive(Debug, Serialize, ToSchema)]
pub struct Available {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    #[schema(example = "Ada")]
    pub name: String,
    /// Its type.
    #[schema(example = "meeting room")]
    pub r#type: String,
    /// How many people fit.
    #[schema(example = 10)]
    pub seats: Option<i32>,
    /// Its zone (IANA).
    pub time_zone: String,
    /// Where it is, from the site down.
    pub location_names: Vec<String>,
    /// Its first free intervals that are long enough, three at most.
    pub free: Vec<Slot>,
    /// The first time of the length asked for that the caller can book, by all rules but quotas.
    pub first: Slot,
    /// Why it stands where it does, and what booking it then would mean.
    pub fit: Fit,
}

/// How well a resource fits, and what booking it would mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fit {
    /// Seats that would stay empty: fewer come first. None when the need or the resource names no seats.
    pub spare_seats: Option<i32>,
    /// Whether somebody would have to approve.
    pub needs_approval: bool,
    /// What it would cost.
    pub quote: Option<Quote>,
}

/// Searches.
#[utoipa::path(
    get,
    path = "/api/v1/availability",
    operation_id = "search_availability",
    tag = "availability",
    summary = "Find what is free for a need",
    params(Need),
    responses(
        (status = 200, description = "What fits, best first", body = Availability),
        (status = 400, description = "invalid_query"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn search_availability(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(need): Query<Need>,
) -> Result<Json<Availability>, Problem> {
    let window = window(need.from, need.to)?;
    let length = need.duration_minutes.map_or(window.duration(), SignedDuration::from_mins);
    if length > window.duration() {
        let detail = "The window is shorter than that.";
        return Err(Problem::invalid_field("duration_minutes", "longer_than_window", detail));
    }
    let limit = need.limit.unwrap_or(DEFAULT_LIMIT);
    let conditions = attributes::parse(need.attributes.as_deref().unwrap_or_default())
        .map_err(|detail| Problem::invalid_field("attributes", "invalid", &detail))?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let now = app.context.clock.now();
    let mut items = Vec::new();
    // Mostly the first few are free, and the answer needs no more.
    let (mut offset, mut chunk) = (0, i64::try_from(limit).unwrap_or(CHUNK) * 3 / 2);
    while items.len() < limit {
        let ids = candidates(&mut tx, actor.organization, &need, &conditions, (offset, chunk)).await?;
        let is_last = i64::try_from(ids.len()).is_ok_and(|found| found < chunk);
        (offset, chunk) = (offset + chunk, CHUNK);
        let tree = resources::tree(&mut tx, actor.organization, &ids).await?;
        let known = Known::load(&mut tx, &actor, tree).await?;
        let own = known.own_items();
        let wide = wide(&own, &window);
        let calendar = calendar::read(&mut tx, actor.organization, &known.tree, &wide, now).await?;
        for (resource, item) in ids.iter().filter_map(|id| known.tree.get(id).zip(own.get(id))) {
            let shape = calendar.shape(&known.tree, resource.id);
            let free = free(&shape, &calendar.claims, &wide, length);
            let mut free = bookable_times(&known, item, &free, &window);
            free.retain(|slot| slot.duration() >= length);
            if let Some((first, fit)) = first(&known, (resource, item), &free, length, need.seats, now) {
                free.truncate(INTERVALS);
                items.push(available(resource, free, first, fit));
            }
        }
        if is_last {
            break;
        }
    }
    items.truncate(limit);
    Ok(Json(Availability { items }))
}

/// The next resources that fit the need, free or not, best first.
async fn candidates(
    tx: &mut Tx,
    organization: OrganizationId,
    need: &Need,
    conditions: &[Condition],
    (offset, chunk): (i64, i64),
) -> Result<Vec<ResourceId>, Problem> {
    let names: Vec<String> = conditions.iter().map(|condition| condition.name.clone()).collect();
    let operators: Vec<String> = conditions.iter().map(|condition| condition.operator.into()).collect();
    let values: Vec<String> = conditions.iter().map(|condition| condition.value.clone()).collect();
    let amenities: Vec<String> = need
        .amenities
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_lowercase)
        .collect();
    let ids = sqlx::query_scalar!(
        "select id from bookings.resource
         where organization_id = $1 and status = 'active'
           and ($2::text is null or lower(type_name) = lower($2))
           and ($3::int is null or seats >= $3)
           and ($4::uuid is null or $4 = any(location_path))
           and ($5::text is null or strpos(lower(name), lower($5)) > 0)
           and $6::text[] <@ array(select lower(amenity) from unnest(amenities) amenity)
           and not exists (
               select from unnest($9::text[], $10::text[], $11::text[]) as wanted (name, operator, value)
               where not coalesce(case
                   when operator = '=' then lower(attributes ->> wanted.name) = lower(value)
                   when jsonb_typeof(attributes -> wanted.name) <> 'number' then false
                   when operator = '>=' then (attributes ->> wanted.name)::numeric >= value::numeric
                   else (attributes ->> wanted.name)::numeric <= value::numeric end, false))
         order by seats nulls last, name, id
         limit $7 offset $8",
        organization.0,
        need.r#type,
        need.seats,
        need.location_id.map(|id| id.0),
        need.q,
        &amenities,
        chunk,
        offset,
        &names,
        &operators,
        &values,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(ResourceId).collect())
}

/// The first time that the rules allow within the free intervals, and what booking it would mean.
fn first(
    known: &Known,
    (resource, item): (&Resource, &Item),
    free: &[Slot],
    length: SignedDuration,
    attendees: Option<i32>,
    now: Timestamp,
) -> Option<(Slot, Fit)> {
    let mut times = free.iter().flat_map(|free| starts(free, length, now));
    times.find_map(|slot| {
        let verdict = known.verdict_of_one(item, slot, attendees, now);
        let fit = Fit {
            spare_seats: resource.seats.zip(attendees).map(|(seats, attendees)| seats - attendees),
            needs_approval: verdict.terms.approval.is_some(),
            quote: verdict.quote,
        };
        verdict.broken.is_empty().then_some((slot, fit))
    })
}

fn available(resource: &Resource, free: Vec<Slot>, first: Slot, fit: Fit) -> Available {
    Available {
        resource_id: resource.id,
        name: resource.name.clone(),
        r#type: resource.type_name.clone(),
        seats: resource.seats,
        time_zone: resource.time_zone.clone(),
        location_names: resource.location_names.clone(),
        free,
        first,
        fit,
    }
}
