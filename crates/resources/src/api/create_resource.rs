//! `POST /api/v1/resources`: something new that can be booked.

use std::collections::BTreeSet;

use axum::extract::State;
use garde::Validate;
use kernel::role::CatalogueManage;
use kernel::{AmenityId, LocationId, ResourceId};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{FieldError, Problem};
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::resolve::{self, wrong};
use super::{ResourceBody, get_resource, remit};
use crate::App;
use crate::name::Name;
use crate::resource::{
    self, Content, MAX_AMENITIES, MAX_EXTERNAL_ID, MAX_PARTS, MAX_SEATS, MAX_UNITS, Status,
};
use crate::store::{events, parts, states, write};

/// The resource to create.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateResource)]
pub struct Request {
    /// Its name: 1 to 200 characters. Several resources may have the same.
    #[garde(skip)]
    #[schema(example = "Seminar room 2")]
    pub name: Name,
    /// The name of its type.
    #[garde(skip)]
    #[schema(example = "seminar room")]
    pub r#type: Name,
    /// Where it is.
    #[garde(skip)]
    pub location_id: Option<LocationId>,
    /// How many people fit: 0 to 1,000,000.
    #[garde(range(min = 0, max = MAX_SEATS))]
    #[schema(minimum = 0, maximum = 1_000_000, example = 24)]
    pub seats: Option<i32>,
    /// How many interchangeable pieces there are: 1 to 10,000; 1 when absent, and for what has parts.
    #[garde(range(min = 1, max = MAX_UNITS))]
    #[schema(minimum = 1, maximum = 10_000, default = 1)]
    pub units: Option<i32>,
    /// The names of its amenities: 100 at most.
    #[garde(length(max = MAX_AMENITIES))]
    #[serde(default)]
    #[schema(max_items = 100, example = json!(["projector"]))]
    pub amenities: Vec<Name>,
    /// What else is to be said: 100 names and values at most, 16 KiB as JSON.
    #[garde(custom(within_limits))]
    #[serde(default)]
    #[schema(value_type = Object, example = json!({ "area_m2": 62.5 }))]
    pub attributes: Map<String, Value>,
    /// Its zone (IANA); the installation's default when absent.
    #[garde(length(chars, max = 100))]
    #[schema(max_length = 100, example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// What it is made of: 500 at most. Booking it takes all of these.
    #[garde(length(max = MAX_PARTS))]
    #[serde(default)]
    #[schema(max_items = 500)]
    pub parts: Vec<ResourceId>,
    /// What another system calls it, unique in the organization: 1 to 200 characters.
    #[garde(length(chars, min = 1, max = MAX_EXTERNAL_ID))]
    #[schema(min_length = 1, max_length = 200, example = "R-102")]
    pub external_id: Option<String>,
    /// `active` when absent, or `maintenance`.
    #[garde(skip)]
    pub status: Option<Status>,
}

/// Garde's way to ask for the limits of attributes.
pub(super) fn within_limits(attributes: &Map<String, Value>, (): &()) -> garde::Result {
    resource::check_attributes(attributes).map_err(garde::Error::new)
}

/// Creates a resource.
#[utoipa::path(
    post,
    path = "/api/v1/resources",
    operation_id = "create_resource",
    tag = "resources",
    summary = "Create a resource",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Created", body = ResourceBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "external_id_taken, request_in_progress"),
        (status = 422, description = "invalid_input (`unknown_type`, `unknown_amenity`, `unknown_location`, `unknown_part`, \
            `part_retired`, `whole_has_units`, `unknown_time_zone`, `use_delete`), idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn create_resource(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    if !request.body.parts.is_empty() {
        parts::lock(&mut tx, organization).await?;
    }
    let content = content(&mut tx, &actor, &request.body, &app.config.default_time_zone).await?;
    let id = ResourceId::mint();
    write::insert(&mut tx, organization, &[(id, &content)]).await?;
    write::link(&mut tx, organization, &[(id, None, &content)]).await?;
    let state = states::state(&mut tx, organization, id).await?;
    remit::demand_change(&mut tx, &actor, None, &state.resource).await?;
    events::tell(&mut tx, organization, &Origin::from(&*actor), None, state.resource.clone(), now).await?;
    let body = ResourceBody::from(state);
    let answer = Answer::created(&format!("/api/v1/resources/{id}"), body.version, &body)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    get_resource::forget(&app, organization, id).await;
    Ok(answer)
}

/// What the request says, or everything that is wrong with it.
async fn content(
    tx: &mut Tx,
    actor: &Actor,
    request: &Request,
    default_time_zone: &str,
) -> Result<Content, Problem> {
    let organization = actor.organization;
    let mut errors = Vec::new();
    let type_id = resolve::resource_type(tx, organization, &request.r#type).await?;
    let type_id = type_id.map_err(|error| errors.push(error)).ok();
    let amenities: Option<BTreeSet<AmenityId>> = resolve::amenities(tx, organization, &request.amenities)
        .await?
        .map_err(|wrong| errors.extend(wrong))
        .ok();
    errors.extend(resolve::location(tx, organization, request.location_id).await?);
    errors.extend(resolve::parts(tx, actor, &request.parts, &BTreeSet::new()).await?);
    let time_zone = zone(request.time_zone.as_deref().unwrap_or(default_time_zone), &mut errors);
    let external_id = external_id(request.external_id.as_deref(), &mut errors);
    let (Some(type_id), Some(amenities)) = (type_id, amenities) else { return Err(Problem::invalid(errors)) };
    let content = Content {
        name: request.name.clone(),
        type_id,
        location_id: request.location_id,
        seats: request.seats,
        units: request.units.unwrap_or(1),
        amenities,
        attributes: request.attributes.clone(),
        time_zone,
        parts: request.parts.iter().copied().collect(),
        external_id,
        status: request.status.unwrap_or(Status::Active),
    };
    errors.extend(resolve::rules(&content));
    if errors.is_empty() { Ok(content) } else { Err(Problem::invalid(errors)) }
}

/// The zone of a name; an error is noted.
pub(super) fn zone(text: &str, errors: &mut Vec<FieldError>) -> String {
    resource::time_zone(text).unwrap_or_else(|| {
        errors.push(wrong(
            "/time_zone",
            "unknown_time_zone",
            format!("There is no time zone {text:?} (IANA)."),
        ));
        String::new()
    })
}

/// The external id as it is stored; an error is noted.
pub(super) fn external_id(text: Option<&str>, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = text?;
    let id = resource::external_id(text);
    if id.is_none() {
        errors.push(wrong("/external_id", "invalid_value", "An external id has 1 to 200 plain characters."));
    }
    id
}
