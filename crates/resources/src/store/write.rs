//! Writing resources, one or thousands, in a fixed number of statements.

use std::collections::BTreeSet;

use kernel::{OrganizationId, ResourceId};
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::resource::Content;

/// Resources as columns, the shape in which `unnest` takes them.
#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    name: Vec<String>,
    name_key: Vec<String>,
    type_id: Vec<Uuid>,
    location_id: Vec<Option<Uuid>>,
    seats: Vec<Option<i32>>,
    units: Vec<i32>,
    attributes: Vec<Value>,
    time_zone: Vec<String>,
    status: Vec<String>,
    external_id: Vec<Option<String>>,
}

impl Columns {
    fn of(resources: &[(ResourceId, &Content)]) -> Self {
        let mut columns = Self::default();
        for (id, content) in resources {
            columns.id.push(id.0);
            columns.name.push(content.name.as_str().to_owned());
            columns.name_key.push(content.name.key());
            columns.type_id.push(content.type_id.0);
            columns.location_id.push(content.location_id.map(|id| id.0));
            columns.seats.push(content.seats);
            columns.units.push(content.units);
            columns.attributes.push(Value::Object(content.attributes.clone()));
            columns.time_zone.push(content.time_zone.clone());
            columns.status.push(content.status.name().to_owned());
            columns.external_id.push(content.external_id.clone());
        }
        columns
    }
}

/// Inserts new resources, without amenities and parts.
///
/// # Errors
/// 409 when an external id is taken.
pub async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[(ResourceId, &Content)],
) -> Result<(), Problem> {
    let columns = Columns::of(resources);
    sqlx::query!(
        "insert into resources.resource (organization_id, id, name, name_key, type_id, location_id, seats, units,
                                         attributes, time_zone, status, external_id)
         select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::int[], $8::int[],
                                  $9::jsonb[], $10::text[], $11::text[], $12::text[])",
        organization.0,
        &columns.id,
        &columns.name,
        &columns.name_key,
        &columns.type_id,
        &columns.location_id as &[Option<Uuid>],
        &columns.seats as &[Option<i32>],
        &columns.units,
        &columns.attributes,
        &columns.time_zone,
        &columns.status,
        &columns.external_id as &[Option<String>],
    )
    .execute(&mut **tx)
    .await
    .on_constraint("resource_external_id", || Error::ExternalIdTaken)?;
    Ok(())
}

/// Overwrites resources that the caller has locked, without amenities and parts, each with its next version.
///
/// # Errors
/// 409 when an external id is taken.
pub async fn update(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[(ResourceId, &Content)],
) -> Result<(), Problem> {
    let columns = Columns::of(resources);
    sqlx::query!(
        "update resources.resource r
         set version = r.version + 1, name = n.name, name_key = n.name_key, type_id = n.type_id,
             location_id = n.location_id, seats = n.seats, units = n.units, attributes = n.attributes,
             time_zone = n.time_zone, status = n.status, external_id = n.external_id
         from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::int[], $8::int[], $9::jsonb[],
                     $10::text[], $11::text[], $12::text[])
              as n (id, name, name_key, type_id, location_id, seats, units, attributes, time_zone, status, external_id)
         where r.organization_id = $1 and r.id = n.id",
        organization.0,
        &columns.id,
        &columns.name,
        &columns.name_key,
        &columns.type_id,
        &columns.location_id as &[Option<Uuid>],
        &columns.seats as &[Option<i32>],
        &columns.units,
        &columns.attributes,
        &columns.time_zone,
        &columns.status,
        &columns.external_id as &[Option<String>],
    )
    .execute(&mut **tx)
    .await
    .on_constraint("resource_external_id", || Error::ExternalIdTaken)?;
    Ok(())
}

/// Brings the amenities and parts of resources from what they were to what they are. All resources named are stored.
///
/// # Errors
/// When the database fails.
pub async fn link(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[(ResourceId, Option<&Content>, &Content)],
) -> Result<(), Problem> {
    let (mut gone, mut new) = (Pairs::default(), Pairs::default());
    let (mut gone_parts, mut new_parts) = (Pairs::default(), Pairs::default());
    let nothing = (BTreeSet::new(), BTreeSet::new());
    for (id, before, after) in resources {
        let (amenities, parts) = before.map_or((&nothing.0, &nothing.1), |was| (&was.amenities, &was.parts));
        gone.add(*id, amenities.difference(&after.amenities).map(|id| id.0));
        new.add(*id, after.amenities.difference(amenities).map(|id| id.0));
        gone_parts.add(*id, parts.difference(&after.parts).map(|id| id.0));
        new_parts.add(*id, after.parts.difference(parts).map(|id| id.0));
    }
    unlink(tx, organization, &gone, &gone_parts).await?;
    sqlx::query!(
        "insert into resources.resource_amenity (organization_id, resource_id, amenity_id)
         select $1, * from unnest($2::uuid[], $3::uuid[])",
        organization.0,
        &new.of,
        &new.what,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into resources.resource_part (organization_id, whole_id, part_id)
         select $1, * from unnest($2::uuid[], $3::uuid[])",
        organization.0,
        &new_parts.of,
        &new_parts.what,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What of which resource, as columns.
#[derive(Default)]
struct Pairs {
    of: Vec<Uuid>,
    what: Vec<Uuid>,
}

impl Pairs {
    fn add(&mut self, of: ResourceId, what: impl Iterator<Item = Uuid>) {
        self.what.extend(what);
        self.of.resize(self.what.len(), of.0);
    }
}

async fn unlink(
    tx: &mut Tx,
    organization: OrganizationId,
    amenities: &Pairs,
    parts: &Pairs,
) -> Result<(), Problem> {
    if !amenities.of.is_empty() {
        sqlx::query!(
            "delete from resources.resource_amenity a
             using unnest($2::uuid[], $3::uuid[]) as gone (resource_id, amenity_id)
             where a.organization_id = $1 and a.resource_id = gone.resource_id and a.amenity_id = gone.amenity_id",
            organization.0,
            &amenities.of,
            &amenities.what,
        )
        .execute(&mut **tx)
        .await?;
    }
    if !parts.of.is_empty() {
        sqlx::query!(
            "delete from resources.resource_part p
             using unnest($2::uuid[], $3::uuid[]) as gone (whole_id, part_id)
             where p.organization_id = $1 and p.whole_id = gone.whole_id and p.part_id = gone.part_id",
            organization.0,
            &parts.of,
            &parts.what,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
