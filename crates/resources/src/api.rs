//! What is asked of the service, one file per operation; and the catalogue as clients see it.

pub mod create_amenity;
pub mod create_location;
pub mod create_resource;
pub mod create_resource_type;
pub mod get_amenity;
pub mod get_location;
pub mod get_resource;
pub mod get_resource_type;
pub mod get_resources_audit;
pub mod get_rules;
pub mod get_state;
pub mod import_resources;
pub mod list_amenities;
pub mod list_locations;
pub mod list_resource_types;
pub mod list_resources;
pub mod list_rule_versions;
pub mod put_rules;
mod remit;
pub mod resolve;
pub mod retire_resource;
pub mod update_resource;

use std::collections::BTreeSet;

use contracts::resources::ResourceStatus;
use jiff::Timestamp;
use kernel::{AmenityId, LocationId, ResourceId, ResourceTypeId};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::location::Kind;
use crate::resource::Status;
use crate::store::states::State;

/// A resource.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Resource)]
pub struct ResourceBody {
    /// Its id.
    pub id: ResourceId,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// Its name.
    #[schema(example = "Seminar room 2")]
    pub name: String,
    /// The name of its type.
    #[schema(example = "seminar room")]
    pub r#type: String,
    /// Its type.
    pub type_id: ResourceTypeId,
    /// The place it is in.
    pub location_id: Option<LocationId>,
    /// The names of where it is, from the site down to the place itself.
    #[schema(example = json!(["North", "Main building", "1st floor"]))]
    pub location: Vec<String>,
    /// How many people fit, when that is known.
    #[schema(example = 24)]
    pub seats: Option<i32>,
    /// How many interchangeable pieces there are; 1 for a room.
    #[schema(example = 1)]
    pub units: i32,
    /// What it is equipped with.
    #[schema(example = json!(["projector", "whiteboard"]))]
    pub amenities: BTreeSet<String>,
    /// What else is to be said, as names and values.
    #[schema(value_type = Object, example = json!({ "area_m2": 62.5 }))]
    pub attributes: Map<String, Value>,
    /// Its zone (IANA).
    #[schema(example = "Europe/Vienna")]
    pub time_zone: String,
    /// What it is made of: booking it takes all of these.
    pub parts: BTreeSet<ResourceId>,
    /// What another system calls it.
    #[schema(example = "R-102")]
    pub external_id: Option<String>,
    /// Whether it can be booked.
    pub status: Status,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl ResourceBody {
    /// The same with those of its parts alone that are there for the caller.
    #[must_use]
    pub fn with_parts(mut self, seen: &BTreeSet<ResourceId>) -> Self {
        self.parts.retain(|part| seen.contains(part));
        self
    }
}

impl From<State> for ResourceBody {
    fn from(state: State) -> Self {
        let resource = state.resource;
        Self {
            id: resource.id,
            version: resource.version,
            name: resource.name,
            r#type: resource.type_name,
            type_id: resource.type_id,
            location_id: resource.location_path.last().copied(),
            location: resource.location_names,
            seats: resource.seats,
            units: resource.units,
            amenities: resource.amenities,
            attributes: resource.attributes,
            time_zone: resource.time_zone,
            parts: resource.parts,
            external_id: state.external_id,
            status: match resource.status {
                ResourceStatus::Active => Status::Active,
                ResourceStatus::Maintenance => Status::Maintenance,
                ResourceStatus::Retired => Status::Retired,
            },
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// A kind of resource.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceType)]
pub struct TypeBody {
    /// Its id.
    pub id: ResourceTypeId,
    /// Its version; also the `ETag`.
    pub version: i64,
    /// Its name.
    #[schema(example = "seminar room")]
    pub name: String,
}

/// Something that a resource may be equipped with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Amenity)]
pub struct AmenityBody {
    /// Its id.
    pub id: AmenityId,
    /// Its version; also the `ETag`.
    pub version: i64,
    /// Its name.
    #[schema(example = "projector")]
    pub name: String,
}

/// A place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationBody {
    /// Its id.
    pub id: LocationId,
    /// Its version; also the `ETag`.
    pub version: i64,
    /// What it lies in; null at the top.
    pub parent_id: Option<LocationId>,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    #[schema(example = "Main building")]
    pub name: String,
    /// A short name, as it stands in room numbers.
    #[schema(example = "MB")]
    pub code: Option<String>,
}
