//! Resources as others see them: the one place that builds the state which events, clients and services get.

use std::collections::HashMap;

use contracts::resources::{Resource, ResourceStatus};
use jiff::Timestamp;
use kernel::{LocationId, OrganizationId, ResourceId, ResourceTypeId};
use platform::db::Tx;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A resource as the contracts have it, with what only clients of this service see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What events carry.
    pub resource: Resource,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The states of these resources; those that the organization does not have are left out.
///
/// # Errors
/// When the database fails.
pub async fn states(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, State>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select r.id, r.version, r.name, r.type_id, t.name as type_name, r.seats, r.units, r.attributes, r.time_zone,
                  r.status, r.external_id, r.created_at, r.updated_at,
                  coalesce(place.ids, '{}') as "location_path!: Vec<Uuid>",
                  coalesce(place.names, '{}') as "location_names!: Vec<String>",
                  array(select a.name from resources.resource_amenity ra
                        join resources.amenity a on a.organization_id = $1 and a.id = ra.amenity_id
                        where ra.organization_id = $1 and ra.resource_id = r.id) as "amenities!: Vec<String>",
                  array(select p.part_id from resources.resource_part p
                        where p.organization_id = $1 and p.whole_id = r.id) as "parts!: Vec<Uuid>"
           from resources.resource r
           join resources.resource_type t on t.organization_id = $1 and t.id = r.type_id
           cross join lateral (
               with recursive up as (
                   select l.id, l.parent_id, l.name, 0 as height from resources.location l
                   where l.organization_id = $1 and l.id = r.location_id
                   union all
                   select l.id, l.parent_id, l.name, up.height + 1 from up
                   join resources.location l on l.organization_id = $1 and l.id = up.parent_id
               )
               select array_agg(id order by height desc) as ids, array_agg(name order by height desc) as names from up
           ) place
           where r.organization_id = $1 and r.id = any($2)"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let states = rows.into_iter().map(|row| {
        let resource = Resource {
            id: ResourceId(row.id),
            version: row.version,
            name: row.name,
            type_id: ResourceTypeId(row.type_id),
            type_name: row.type_name,
            location_path: row.location_path.into_iter().map(LocationId).collect(),
            location_names: row.location_names,
            seats: row.seats,
            units: row.units,
            amenities: row.amenities.into_iter().collect(),
            attributes: match row.attributes {
                Value::Object(attributes) => attributes,
                other => return Err(Problem::internal(&format!("attributes that are no object: {other}"))),
            },
            time_zone: row.time_zone,
            parts: row.parts.into_iter().map(ResourceId).collect(),
            status: status(&row.status)?,
        };
        let (created_at, updated_at) = (row.created_at.to_jiff(), row.updated_at.to_jiff());
        Ok((resource.id, State { resource, external_id: row.external_id, created_at, updated_at }))
    });
    states.collect()
}

/// The state of one resource.
///
/// # Errors
/// 404 when the organization has no such resource.
pub async fn state(tx: &mut Tx, organization: OrganizationId, id: ResourceId) -> Result<State, Problem> {
    states(tx, organization, &[id]).await?.remove(&id).ok_or_else(|| Problem::not_found("resource"))
}

fn status(name: &str) -> Result<ResourceStatus, Problem> {
    match name {
        "active" => Ok(ResourceStatus::Active),
        "maintenance" => Ok(ResourceStatus::Maintenance),
        "retired" => Ok(ResourceStatus::Retired),
        other => Err(Problem::internal(&format!("the unknown status {other}"))),
    }
}
