//! A resource: what it says of itself, and the limits and rules for it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use kernel::{AmenityId, LocationId, ResourceId, ResourceTypeId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::name::Name;

/// Seats at most.
pub const MAX_SEATS: i32 = 1_000_000;
/// Units at most.
pub const MAX_UNITS: i32 = 10_000;
/// Amenities of one resource at most.
pub const MAX_AMENITIES: usize = 100;
/// Parts of one resource at most.
pub const MAX_PARTS: usize = 500;
/// Attributes of one resource at most.
pub const MAX_ATTRIBUTES: usize = 100;
/// All attributes of one resource as JSON, in bytes, at most.
pub const MAX_ATTRIBUTES_SIZE: usize = 16 * 1024;
/// Characters of an external id at most.
pub const MAX_EXTERNAL_ID: usize = 200;

/// Whether a resource can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResourceStatus)]
pub enum Status {
    /// Yes.
    Active,
    /// Not for now.
    Maintenance,
    /// Never again; only deleting a resource leads here.
    Retired,
}

impl Status {
    /// Its name in the database and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Maintenance => "maintenance",
            Self::Retired => "retired",
        }
    }

    /// The status of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Active, Self::Maintenance, Self::Retired].into_iter().find(|status| status.name() == name)
    }
}

/// What a resource says of itself: all that a change can touch.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its name; several may have the same.
    pub name: Name,
    /// Its type.
    pub type_id: ResourceTypeId,
    /// Where it is.
    pub location_id: Option<LocationId>,
    /// How many people fit, when that is known.
    pub seats: Option<i32>,
    /// How many interchangeable pieces there are.
    pub units: i32,
    /// What it is equipped with.
    pub amenities: BTreeSet<AmenityId>,
    /// What else is to be said.
    pub attributes: Map<String, Value>,
    /// Its zone (IANA).
    pub time_zone: String,
    /// What it is made of.
    pub parts: BTreeSet<ResourceId>,
    /// What another system calls it; unique in the organization.
    pub external_id: Option<String>,
    /// Whether it can be booked.
    pub status: Status,
}

impl Content {
    /// A whole is booked by taking its parts, so there is one of it. **Invariant.**
    #[must_use]
    pub fn has_units_and_parts(&self) -> bool {
        self.units != 1 && !self.parts.is_empty()
    }
}

/// The IANA name of a zone in its own spelling, if there is such a zone.
#[must_use]
pub fn time_zone(text: &str) -> Option<String> {
    TimeZone::get(text).ok()?.iana_name().map(str::to_owned)
}

/// Whether the attributes of a resource are within the limits.
///
/// # Errors
/// The limit that is not kept, as a sentence.
pub fn check_attributes(attributes: &Map<String, Value>) -> Result<(), String> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(format!("there are {MAX_ATTRIBUTES} attributes at most"));
    }
    if attributes.keys().any(|name| name.parse::<Name>().is_err()) {
        return Err("the name of an attribute has 1 to 200 characters".into());
    }
    let size = serde_json::to_vec(attributes).map_or(usize::MAX, |json| json.len());
    if size > MAX_ATTRIBUTES_SIZE {
        return Err(format!("all attributes together have {MAX_ATTRIBUTES_SIZE} bytes at most"));
    }
    // PostgreSQL's jsonb takes every JSON text but this one.
    if serde_json::to_string(attributes).is_ok_and(|json| json.contains("\\u0000")) {
        return Err("an attribute must not contain the character U+0000".into());
    }
    Ok(())
}

/// An external id as it is stored: without space around it; `None` when it is empty, too long or not plain text.
#[must_use]
pub fn external_id(text: &str) -> Option<String> {
    let text = text.trim();
    let length = text.chars().count();
    ((1..=MAX_EXTERNAL_ID).contains(&length) && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn zones_are_iana_names() {
        assert_eq!(time_zone("europe/vienna").as_deref(), Some("Europe/Vienna"));
        assert_eq!(time_zone("UTC").as_deref(), Some("UTC"));
        for text in ["", "Mars/Olympus", "CET-1CEST,M3.5.0,M10.5.0/3", "+02:00", "../etc/passwd"] {
            assert_eq!(time_zone(text), None, "{text:?}");
        }
    }

    #[test]
    fn attributes_have_limits() {
        let of = |value: Value| value.as_object().unwrap().clone();
        assert!(check_attributes(&of(json!({ "area_m2": 62.5, "tags": ["a"] }))).is_ok());
        assert!(check_attributes(&of(json!({ "": 1 }))).is_err());
        assert!(check_attributes(&of(json!({ "a": "x".repeat(MAX_ATTRIBUTES_SIZE) }))).is_err());
        assert!(check_attributes(&of(json!({ "a": ["b\u{0}"] }))).is_err());
        assert!(check_attributes(&(0..101).map(|n| (n.to_string(), json!(n))).collect()).is_err());
    }

    #[test]
    fn external_ids_are_trimmed() {
        assert_eq!(external_id(" A-1 ").as_deref(), Some("A-1"));
        assert_eq!(external_id("  "), None);
        assert_eq!(external_id(&"x".repeat(201)), None);
    }
}
