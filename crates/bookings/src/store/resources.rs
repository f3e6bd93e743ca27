//! The service's own copy of the catalogue: reading it, and writing what the resource service tells.

use std::collections::BTreeMap;

use contracts::resources as wire;
use kernel::{Kind, LocationId, OrganizationId, ResourceId, ResourceTypeId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use crate::booking::BookedResource;

/// A resource as this service knows it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The resource.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its type; none until the resource service has told of it again after an upgrade.
    pub type_id: Option<ResourceTypeId>,
    /// Its type's name.
    pub type_name: String,
    /// Where it is, from the site down.
    pub location_path: Vec<LocationId>,
    /// The names of those places.
    pub location_names: Vec<String>,
    /// How many people fit.
    pub seats: Option<i32>,
    /// Its zone (IANA).
    pub time_zone: String,
    /// What it is made of.
    pub parts: Vec<ResourceId>,
    /// Whether it can be booked.
    pub active: bool,
}

impl Resource {
    /// What rules may be laid on so that they hold for it, but for the organization and groups.
    pub fn scopes(&self) -> impl Iterator<Item = Uuid> {
        let places = self.location_path.iter().map(|id| id.0);
        self.type_id.iter().map(|id| id.0).chain(places).chain([self.id.0])
    }

    /// The resource as it stands in a booking made now.
    #[must_use]
    pub fn booked(&self, units: i32) -> BookedResource {
        BookedResource {
            resource_id: self.id,
            name: self.name.clone(),
            units,
            time_zone: self.time_zone.clone(),
            location_names: self.location_names.clone(),
        }
    }
}

/// Resources with all that they are made of, by id.
pub type Tree = BTreeMap<ResourceId, Resource>;

/// The resources with these ids and all their parts, however deep; unknown ids are missing.
///
/// # Errors
/// When the database fails.
pub async fn tree(tx: &mut Tx, organization: OrganizationId, ids: &[ResourceId]) -> Result<Tree, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // An array, not `in`: that would be joined to every resource of the organization.
    let rows = sqlx::query_as!(
        Row,
        r#"with recursive tree as (
               select id, parts from bookings.resource where organization_id = $1 and id = any($2)
               union
               select part.id, part.parts from bookings.resource part
               join tree on part.organization_id = $1 and part.id = any(tree.parts)
           )
           select id, name, type_id, type_name, location_path, location_names, seats, time_zone, parts,
                  status = 'active' as "active!"
           from bookings.resource where organization_id = $1 and id = any(array(select id from tree))"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Resource::from).map(|resource| (resource.id, resource)).collect())
}

/// Locks the rows of the resources concerned, with all their parts, in id order, and gives them as they are then.
///
/// # Errors
/// When the database fails, others hold the locks for too long, or the parts of one were changed meanwhile.
pub async fn lock(tx: &mut Tx, organization: OrganizationId, ids: &[ResourceId]) -> Result<Tree, Problem> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // A row that somebody else has changed is given as it is after the wait, not as it was in the snapshot.
    let rows = sqlx::query_as!(
        Row,
        r#"with recursive tree as (
               select id, parts from bookings.resource where organization_id = $1 and id = any($2)
               union
               select part.id, part.parts from bookings.resource part
               join tree on part.organization_id = $1 and part.id = any(tree.parts)
           )
           select id, name, type_id, type_name, location_path, location_names, seats, time_zone, parts,
                  status = 'active' as "active!"
           from bookings.resource where organization_id = $1 and id = any(array(select id from tree))
           order by id for no key update"#,
        organization.0,
        &wanted,
    )
    .fetch_all(&mut **tx)
    .await?;
    let tree: Tree = rows.into_iter().map(Resource::from).map(|resource| (resource.id, resource)).collect();
    let parts = || tree.values().flat_map(|resource| &resource.parts);
    if parts().any(|part| !tree.contains_key(part)) && !is_complete(tx, organization, &tree).await? {
        return Err(Problem::new(
            Kind::Conflict,
            "slot_taken",
            "The parts of the resource were changed meanwhile.",
        )
        .or_run_again());
    }
    Ok(tree)
}

/// Whether the parts that the tree lacks are not known here at all, rather than left out.
async fn is_complete(tx: &mut Tx, organization: OrganizationId, tree: &Tree) -> Result<bool, Problem> {
    let missing: Vec<Uuid> = tree
        .values()
        .flat_map(|resource| &resource.parts)
        .filter(|id| !tree.contains_key(id))
        .map(|id| id.0)
        .collect();
    let known = sqlx::query_scalar!(
        r#"select count(*) as "count!" from bookings.resource where organization_id = $1 and id = any($2)"#,
        organization.0,
        &missing,
    );
    Ok(known.fetch_one(&mut **tx).await? == 0)
}

struct Row {
    id: Uuid,
    name: String,
    type_id: Option<Uuid>,
    type_name: String,
    location_path: Vec<Uuid>,
    location_names: Vec<String>,
    seats: Option<i32>,
    time_zone: String,
    parts: Vec<Uuid>,
    active: bool,
}

impl From<Row> for Resource {
    fn from(row: Row) -> Self {
        Self {
            id: ResourceId(row.id),
            name: row.name,
            type_id: row.type_id.map(ResourceTypeId),
            type_name: row.type_name,
            location_path: row.location_path.into_iter().map(LocationId).collect(),
            location_names: row.location_names,
            seats: row.seats,
            time_zone: row.time_zone,
            parts: row.parts.into_iter().map(ResourceId).collect(),
            active: row.active,
        }
    }
}

/// The ids of a tree that are missing in it: parts that are not known here.
#[must_use]
pub fn missing(tree: &Tree, ids: &[ResourceId]) -> Vec<ResourceId> {
    let all: std::collections::BTreeSet<ResourceId> = ids.iter().flat_map(|id| nodes(tree, *id)).collect();
    all.into_iter().filter(|id| !tree.contains_key(id)).collect()
}

/// A resource and all that it is made of, however deep, in id order.
///
/// A whole has a unit of its own beside those of its parts: bookings made before its parts were changed stand in the way
/// of those made after.
#[must_use]
pub fn nodes(tree: &Tree, id: ResourceId) -> Vec<ResourceId> {
    let (mut to_see, mut seen) = (vec![id], std::collections::BTreeSet::new());
    while let Some(id) = to_see.pop() {
        if seen.insert(id) {
            to_see.extend(tree.get(&id).into_iter().flat_map(|resource| &resource.parts));
        }
    }
    seen.into_iter().collect()
}

/// Whether a resource and all that it is made of can be booked now: none is retired or in maintenance.
#[must_use]
pub fn is_bookable(tree: &Tree, id: ResourceId) -> bool {
    nodes(tree, id).iter().all(|node| tree.get(node).is_some_and(|resource| resource.active))
}

/// Keeps what the resource service told, unless something newer is known; and one row for each unit.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    tx: &mut Tx,
    organization: OrganizationId,
    resource: &wire::Resource,
) -> Result<(), Problem> {
    let path: Vec<Uuid> = resource.location_path.iter().map(|id| id.0).collect();
    let parts: Vec<Uuid> = resource.parts.iter().map(|id| id.0).collect();
    let amenities: Vec<String> = resource.amenities.iter().cloned().collect();
    let kept = sqlx::query!(
        "insert into bookings.resource (organization_id, id, version, name, type_id, type_name, location_path, location_names,
                                        seats, units, amenities, attributes, time_zone, parts, status)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict on constraint resource_pkey do update set
             version = excluded.version, name = excluded.name, type_id = excluded.type_id, type_name = excluded.type_name,
             location_path = excluded.location_path, location_names = excluded.location_names, seats = excluded.seats,
             units = excluded.units, amenities = excluded.amenities, attributes = excluded.attributes,
             time_zone = excluded.time_zone, parts = excluded.parts, status = excluded.status
         where bookings.resource.version < excluded.version",
        organization.0,
        resource.id.0,
        resource.version,
        resource.name,
        resource.type_id.0,
        resource.type_name,
        &path,
        &resource.location_names,
        resource.seats,
        resource.units,
        &amenities,
        serde_json::Value::Object(resource.attributes.clone()),
        resource.time_zone,
        &parts,
        status(resource.status),
    )
    .execute(&mut **tx)
    .await?;
    if kept.rows_affected() > 0 {
        keep_units(tx, organization, resource.id, resource.units).await?;
    }
    Ok(())
}

/// A unit that is no longer there takes no new claims; those it has stay.
async fn keep_units(
    tx: &mut Tx,
    organization: OrganizationId,
    id: ResourceId,
    units: i32,
) -> Result<(), Problem> {
    sqlx::query!(
        "insert into bookings.unit (organization_id, resource_id, number)
         select $1, $2, number from generate_series(1, $3::int) number
         on conflict on constraint unit_number do nothing",
        organization.0,
        id.0,
        units,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update bookings.unit set retired = number > $3
         where organization_id = $1 and resource_id = $2 and retired <> (number > $3)",
        organization.0,
        id.0,
        units,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const fn status(status: wire::ResourceStatus) -> &'static str {
    match status {
        wire::ResourceStatus::Active => "active",
        wire::ResourceStatus::Maintenance => "maintenance",
        wire::ResourceStatus::Retired => "retired",
    }
}
