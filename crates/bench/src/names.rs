//! Ids that the seed and the clients agree on without asking: kind, organization and number are in the UUID itself.

use kernel::{LocationId, OrganizationId, ResourceId, Role, UserId};
use testkit::Person;
use uuid::Uuid;

/// What an id is of; the numbers stand in the seed's SQL as well.
#[derive(Debug, Clone, Copy)]
#[repr(u16)]
enum Kind {
    Organization = 1,
    Resource = 2,
    User = 3,
    Location = 5,
}

/// The same as the function `bench.id` of the seed.
fn id(kind: Kind, organization: u32, number: u64) -> Uuid {
    let (organization, kind) = (u128::from(organization), u128::from(kind as u16));
    Uuid::from_u128(organization << 96 | kind << 80 | 0x7000_8000_u128 << 48 | u128::from(number))
}

/// An organization, from 1.
pub fn organization(number: u32) -> OrganizationId {
    OrganizationId(id(Kind::Organization, number, 0))
}

/// A resource of it, from 1.
pub fn resource(organization: u32, number: u64) -> ResourceId {
    ResourceId(id(Kind::Resource, organization, number))
}

/// A user of it, from 1.
pub fn person(of: u32, number: u64, role: Role) -> Person {
    Person { organization: organization(of), user: UserId(id(Kind::User, of, number)), role }
}

/// A site of it, from 0.
pub fn site(organization: u32, number: u64) -> LocationId {
    LocationId(id(Kind::Location, organization, number))
}
