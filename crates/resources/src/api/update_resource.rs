//! `PATCH /api/v1/resources/{id}`: what is sent replaces what was there, the rest stays.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use http::HeaderMap;
use kernel::role::CatalogueManage;
use kernel::{LocationId, ResourceId};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{ETag, IfMatch, Json, Path, Problem};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::create_resource::{external_id, within_limits, zone};
use super::{ResourceBody, get_resource, remit, resolve};
use crate::App;
use crate::error::Error;
use crate::name::Name;
use crate::resource::{Content, MAX_AMENITIES, MAX_EXTERNAL_ID, MAX_PARTS, MAX_SEATS, MAX_UNITS, Status};
use crate::store::sight::{self, Sight};
use crate::store::{contents, events, parts, states, write};

/// What to change. `null` clears `location_id`, `seats` and `external_id`.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateResource)]
pub struct Request {
    /// Its name: 1 to 200 characters.
    #[garde(skip)]
    #[schema(example = "Seminar room 2")]
    pub name: Option<Name>,
    /// The name of its type.
    #[garde(skip)]
    #[schema(example = "seminar room")]
    pub r#type: Option<Name>,
    /// Where it is; null for nowhere.
    #[garde(skip)]
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<LocationId>)]
    pub location_id: Option<Option<LocationId>>,
    /// How many people fit: 0 to 1,000,000; null when that is not known.
    #[garde(inner(inner(range(min = 0, max = MAX_SEATS))))]
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 1_000_000, example = 24)]
    pub seats: Option<Option<i32>>,
    /// How many interchangeable pieces there are: 1 to 10,000; 1 for what has parts.
    #[garde(range(min = 1, max = MAX_UNITS))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub units: Option<i32>,
    /// The names of all its amenities: 100 at most.
    #[garde(length(max = MAX_AMENITIES))]
    #[schema(max_items = 100, example = json!(["projector"]))]
    pub amenities: Option<Vec<Name>>,
    /// All its attributes: 100 names and values at most, 16 KiB as JSON.
    #[garde(inner(custom(within_limits)))]
    #[schema(value_type = Option<Object>, example = json!({ "area_m2": 62.5 }))]
    pub attributes: Option<Map<String, Value>>,
    /// Its zone (IANA).
    #[garde(length(chars, max = 100))]
    #[schema(max_length = 100, example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// All that it is made of: 500 at most.
    #[garde(length(max = MAX_PARTS))]
    #[schema(max_items = 500)]
    pub parts: Option<Vec<ResourceId>>,
    /// What another system calls it, unique in the organization: 1 to 200 characters; null for nothing.
    #[garde(inner(inner(length(chars, min = 1, max = MAX_EXTERNAL_ID))))]
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "R-102")]
    pub external_id: Option<Option<String>>,
    /// `active` or `maintenance`.
    #[garde(skip)]
    pub status: Option<Status>,
}

/// A field that was sent, even as null; one that was not stays `None` by its default.
pub(super) fn sent<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Changes a resource.
#[utoipa::path(
    patch,
    path = "/api/v1/resources/{id}",
    operation_id = "update_resource",
    tag = "resources",
    summary = "Change a resource",
    params(
        ("id" = ResourceId, Path, description = "The resource"),
        ("If-Match" = String, Header, description = "The `ETag` of the version that the change was made for")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "The resource as it is now", body = ResourceBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found"),
        (status = 409, description = "resource_retired, external_id_taken, parts_cycle (with the names in `cycle`)"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input (`unknown_type`, `unknown_amenity`, `unknown_location`, `unknown_part`, \
            `part_retired`, `whole_has_units`, `unknown_time_zone`, `use_delete`)"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn update_resource(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    if_match: IfMatch,
    Json(request): Json<Request>,
) -> Result<Response, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    if request.parts.is_some() {
        parts::lock(&mut tx, organization).await?;
    }
    sight::demand(&mut tx, &actor, id).await?;
    let stored = contents::lock_one(&mut tx, organization, id).await?;
    if_match.check(stored.version)?;
    if stored.content.status == Status::Retired {
        return Err(Error::Retired.into());
    }
    let content = changed(&mut tx, &actor, &stored.content, &request).await?;
    let sight = Sight::of(&mut tx, &actor).await?;
    let seen = sight.among(&mut tx, organization, content.parts.iter().copied()).await?;
    if content.parts != stored.content.parts {
        resolve::no_cycle(&mut tx, organization, id, &content.parts).await?;
    }
    let before = states::state(&mut tx, organization, id).await?;
    if content == stored.content {
        return Ok(ETag(before.resource.version)
            .answer(&HeaderMap::new(), ResourceBody::from(before).with_parts(&seen)));
    }
    write::update(&mut tx, organization, &[(id, &content)]).await?;
    write::link(&mut tx, organization, &[(id, Some(&stored.content), &content)]).await?;
    let after = states::state(&mut tx, organization, id).await?;
    remit::demand_change(&mut tx, &actor, Some(&before.resource), &after.resource).await?;
    let (origin, now) = (Origin::from(&*actor), app.context.clock.now());
    let resource = after.resource.clone();
    events::tell(&mut tx, organization, &origin, Some(before.resource), resource, now).await?;
    tx.commit().await?;
    get_resource::forget(&app, organization, id).await;
    Ok(ETag(after.resource.version).answer(&HeaderMap::new(), ResourceBody::from(after).with_parts(&seen)))
}

/// The content with the request's changes, or everything that is wrong with them.
async fn changed(
    tx: &mut Tx,
    actor: &Actor,
    stored: &Content,
    request: &Request,
) -> Result<Content, Problem> {
    let organization = actor.organization;
    let mut errors = Vec::new();
    let mut content = stored.clone();
    if let Some(name) = &request.name {
        content.name = name.clone();
    }
    if let Some(name) = &request.r#type {
        match resolve::resource_type(tx, organization, name).await? {
            Ok(id) => content.type_id = id,
            Err(wrong) => errors.push(wrong),
        }
    }
    if let Some(names) = &request.amenities {
        match resolve::amenities(tx, organization, names).await? {
            Ok(ids) => content.amenities = ids,
            Err(wrong) => errors.extend(wrong),
        }
    }
    if let Some(location_id) = request.location_id {
        errors.extend(resolve::location(tx, organization, location_id).await?);
        content.location_id = location_id;
    }
    if let Some(ids) = &request.parts {
        errors.extend(resolve::parts(tx, actor, ids, &stored.parts).await?);
        // Of parts that are not there for the caller they say nothing by leaving them out.
        let seen = Sight::of(tx, actor).await?.among(tx, organization, stored.parts.iter().copied()).await?;
        content.parts = ids.iter().chain(stored.parts.difference(&seen)).copied().collect();
    }
    if let Some(text) = &request.time_zone {
        content.time_zone = zone(text, &mut errors);
    }
    if let Some(text) = &request.external_id {
        content.external_id = external_id(text.as_deref(), &mut errors);
    }
    content.seats = request.seats.unwrap_or(content.seats);
    content.units = request.units.unwrap_or(content.units);
    content.status = request.status.unwrap_or(content.status);
    if let Some(attributes) = &request.attributes {
        content.attributes = attributes.clone();
    }
    errors.extend(resolve::rules(&content));
    if errors.is_empty() { Ok(content) } else { Err(Problem::invalid(errors)) }
}
