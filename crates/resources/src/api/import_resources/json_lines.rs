//! A JSON list of resources, as lines.

use garde::Validate;
use platform::http::Problem;
use platform::http::extract::parse;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::MAX_LINES;
use super::draft::{Batch, Line, shown};
use super::mapping::{self, Field};
use crate::api::create_resource::within_limits;
use crate::api::resolve::wrong;
use crate::error::Error;
use crate::location::Kind;
use crate::resource::{MAX_AMENITIES, MAX_SEATS, MAX_UNITS, Status};

/// Resources to import.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportBody)]
pub struct Body {
    /// The resources: 20,000 at most. One that is not valid is named in the report and does not stop the others.
    #[garde(skip)]
    #[schema(value_type = Vec<Resource>, max_items = 20_000)]
    pub resources: Vec<Box<RawValue>>,
    /// Only tell what would happen.
    #[garde(skip)]
    #[serde(default)]
    pub dry_run: bool,
    /// Whether types, amenities and locations that are not there yet are created; otherwise their lines are invalid.
    #[garde(skip)]
    #[serde(default)]
    pub create_missing: bool,
    /// What new locations are, from the top of a path down: 1 to 8.
    #[garde(length(min = 1, max = 8))]
    #[serde(default = "mapping::kinds")]
    #[schema(min_items = 1, max_items = 8, default = json!(["site", "building", "floor", "zone"]))]
    pub location_kinds: Vec<Kind>,
}

/// A resource by names. What is left out stays as it is, or takes its default when the resource is new.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportResource)]
pub struct Resource {
    /// Its name: 1 to 200 characters.
    #[garde(skip)]
    #[schema(min_length = 1, max_length = 200, example = "Seminar room 2")]
    pub name: String,
    /// The name of its type; needed for what is new.
    #[garde(skip)]
    #[schema(max_length = 200, example = "seminar room")]
    pub r#type: Option<String>,
    /// The names or codes of where it is, from the top; empty for nowhere.
    #[garde(length(max = 8))]
    #[schema(max_items = 8, example = json!(["North", "Main building"]))]
    pub location: Option<Vec<String>>,
    /// How many people fit: 0 to 1,000,000; null when that is not known.
    #[garde(inner(inner(range(min = 0, max = MAX_SEATS))))]
    #[serde(default, deserialize_with = "crate::api::update_resource::sent")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 1_000_000, example = 24)]
    pub seats: Option<Option<i32>>,
    /// How many interchangeable pieces there are: 1 to 10,000.
    #[garde(range(min = 1, max = MAX_UNITS))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub units: Option<i32>,
    /// The names of its amenities: 100 at most.
    #[garde(length(max = MAX_AMENITIES))]
    #[schema(max_items = 100, example = json!(["projector"]))]
    pub amenities: Option<Vec<String>>,
    /// Attributes to set; null removes one. The others stay.
    #[garde(custom(within_limits))]
    #[serde(default)]
    #[schema(value_type = Object, example = json!({ "area_m2": 62.5 }))]
    pub attributes: Map<String, Value>,
    /// Its zone (IANA).
    #[garde(skip)]
    #[schema(max_length = 100, example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// What the other system calls it: the external id of a resource changes that resource.
    #[garde(skip)]
    #[schema(max_length = 200, example = "R-102")]
    pub external_id: Option<String>,
    /// The name or external id of what it is a part of.
    #[garde(skip)]
    #[schema(max_length = 200)]
    pub part_of: Option<String>,
    /// `active` or `maintenance`.
    #[garde(skip)]
    pub status: Option<Status>,
}

/// Reads the resources, each on its own.
///
/// # Errors
/// 422 when there are too many.
pub(super) fn read(body: &Body) -> Result<Batch, Problem> {
    if body.resources.len() > MAX_LINES {
        return Err(Error::TooManyLines(MAX_LINES).into());
    }
    let lines = (1..).zip(&body.resources).map(|(number, raw)| line(number, raw)).collect();
    Ok(Batch {
        lines,
        unused_columns: Vec::new(),
        location_kinds: body.location_kinds.clone(),
        create_missing: body.create_missing,
    })
}

fn line(number: u64, raw: &RawValue) -> Line {
    let mut line = Line { number, ..Line::default() };
    let resource: Resource = match parse(raw.get().as_bytes()) {
        Ok(resource) => resource,
        Err(problem) if problem.errors.is_empty() => {
            line.errors.push(wrong("", problem.code, problem.detail));
            return line;
        }
        Err(problem) => {
            line.errors = problem.errors;
            return line;
        }
    };
    line.label = Some(shown(&resource.name));
    line.draft.name = line.name(Field::Name, &resource.name);
    line.draft.r#type = resource.r#type.and_then(|text| line.name(Field::Type, &text));
    line.draft.location = resource.location.map(|texts| line.names(Field::Location, &texts));
    line.draft.seats = resource.seats;
    line.draft.units = resource.units;
    line.draft.amenities = resource.amenities.map(|texts| line.names(Field::Amenities, &texts));
    line.draft.attributes = resource.attributes.into_iter().collect();
    line.draft.time_zone = resource.time_zone.and_then(|text| line.zone(&text));
    line.draft.external_id = resource.external_id.and_then(|text| line.identifier(Field::ExternalId, &text));
    line.draft.part_of = resource.part_of.and_then(|text| line.identifier(Field::PartOf, &text));
    line.draft.status = resource.status.and_then(|status| line.status(status.name()));
    line.finish();
    line
}
