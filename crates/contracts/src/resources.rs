//! What the resource service publishes and answers to other services.

use std::collections::BTreeSet;

use kernel::{Event, LocationId, ResourceId, ResourceTypeId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A resource as others see it. Also the answer to `GET /internal/organizations/{organization_id}/resources/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The resource.
    pub id: ResourceId,
    /// Grows with every change; a reader keeps the highest.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_id: ResourceTypeId,
    /// Its type's name.
    pub type_name: String,
    /// Where it is, from the site down to the place itself; empty when it is nowhere.
    pub location_path: Vec<LocationId>,
    /// The names of those places.
    pub location_names: Vec<String>,
    /// How many people fit, when that is known.
    pub seats: Option<i32>,
    /// How many interchangeable pieces there are; 1 for a room.
    pub units: i32,
    /// The names of its amenities.
    pub amenities: BTreeSet<String>,
    /// What its type declares further.
    pub attributes: Map<String, Value>,
    /// Its zone (IANA).
    pub time_zone: String,
    /// What it is made of; empty for what has no parts.
    pub parts: BTreeSet<ResourceId>,
    /// Whether it can be booked.
    pub status: ResourceStatus,
}

/// Whether a resource can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceStatus {
    /// Yes.
    Active,
    /// Not for now.
    Maintenance,
    /// Never again.
    Retired,
}

macro_rules! event {
    ($name:ident, $type:literal) => {
        impl Event for $name {
            const TYPE: &'static str = $type;
            const STREAM: &'static str = "resource";

            fn stream_id(&self) -> Uuid {
                self.resource.id.0
            }
        }
    };
}

/// A resource came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceCreated {
    /// Its state.
    pub resource: Resource,
}
event!(ResourceCreated, "reservas.resource.created.v1");

/// A resource changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChanged {
    /// Its state before.
    pub before: Resource,
    /// Its state now.
    pub resource: Resource,
}
event!(ResourceChanged, "reservas.resource.changed.v1");

/// A resource was retired: it takes no new bookings, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRetired {
    /// Its last state.
    pub resource: Resource,
}
event!(ResourceRetired, "reservas.resource.retired.v1");
