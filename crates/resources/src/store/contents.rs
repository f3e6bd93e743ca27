//! Reading resources to change them: their rows are locked, in the order of their ids.

use std::collections::HashMap;

use kernel::{AmenityId, LocationId, OrganizationId, ResourceId, ResourceTypeId};
use platform::db::Tx;
use platform::http::Problem;
use serde_json::Value;
use uuid::Uuid;

use crate::resource::{Content, Status};

/// A resource at a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Grows with every change.
    pub version: i64,
    /// What it says of itself.
    pub content: Content,
}

/// Locks these resources and reads them; those that the organization does not have are left out.
///
/// # Errors
/// When the database fails.
pub async fn lock(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, Stored>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // Locked first: what the second statement reads is then what the last change left.
    sqlx::query!(
        "select id from resources.resource where organization_id = $1 and id = any($2) order by id for update",
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let rows = sqlx::query!(
        r#"select r.id, r.version, r.name, r.type_id, r.location_id, r.seats, r.units, r.attributes, r.time_zone,
                  r.status, r.external_id,
                  array(select a.amenity_id from resources.resource_amenity a
                        where a.organization_id = $1 and a.resource_id = r.id) as "amenities!: Vec<Uuid>",
                  array(select p.part_id from resources.resource_part p
                        where p.organization_id = $1 and p.whole_id = r.id) as "parts!: Vec<Uuid>"
           from resources.resource r where r.organization_id = $1 and r.id = any($2)"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let stored = rows.into_iter().map(|row| {
        let content = Content {
            name: row.name.parse().map_err(|error| Problem::internal(&error))?,
            type_id: ResourceTypeId(row.type_id),
            location_id: row.location_id.map(LocationId),
            seats: row.seats,
            units: row.units,
            amenities: row.amenities.into_iter().map(AmenityId).collect(),
            attributes: match row.attributes {
                Value::Object(attributes) => attributes,
                other => return Err(Problem::internal(&format!("attributes that are no object: {other}"))),
            },
            time_zone: row.time_zone,
            parts: row.parts.into_iter().map(ResourceId).collect(),
            external_id: row.external_id,
            status: Status::of(&row.status).ok_or_else(|| Problem::internal(&"an unknown status"))?,
        };
        Ok((ResourceId(row.id), Stored { version: row.version, content }))
    });
    stored.collect()
}

/// Locks one resource and reads it.
///
/// # Errors
/// 404 when the organization has no such resource.
pub async fn lock_one(tx: &mut Tx, organization: OrganizationId, id: ResourceId) -> Result<Stored, Problem> {
    lock(tx, organization, &[id]).await?.remove(&id).ok_or_else(|| Problem::not_found("resource"))
}
