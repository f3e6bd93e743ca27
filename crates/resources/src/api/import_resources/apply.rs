//! Writing what was planned: whatever is missing in the catalogue, the resources in batches, an event for each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::OrganizationId;
use platform::db::{OnConstraint as _, Tx};
use platform::events::Origin;
use platform::http::Problem;
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::plan::{Entry, Plan};
use super::report::Created;
use crate::error::Error;
use crate::name::Name;
use crate::resource::Content;
use crate::store::{events, states, write};

/// Resources in one statement: enough to be fast, few enough to hold in memory with their states.
const CHUNK: usize = 500;

/// What of the catalogue the resources that go in need and is not there.
pub(super) struct Missing<'a> {
    types: Vec<(Uuid, &'a Name)>,
    amenities: Vec<(Uuid, &'a Name)>,
    places: Vec<&'a crate::location::Place>,
}

impl<'a> Missing<'a> {
    /// Looks through what will be written.
    pub(super) fn of(catalogue: &'a Catalogue, changes: &[&Entry]) -> Self {
        let contents = || changes.iter().map(|entry| &entry.after);
        let types: BTreeSet<_> = contents().map(|content| content.type_id).collect();
        let amenities: BTreeSet<_> = contents().flat_map(|content| &content.amenities).copied().collect();
        let places: BTreeSet<_> = contents().filter_map(|content| content.location_id).collect();
        let new_types = catalogue.types.new.iter().filter(|(id, _)| types.contains(id));
        let new_amenities = catalogue.amenities.new.iter().filter(|(id, _)| amenities.contains(id));
        Self {
            types: new_types.map(|(id, name)| (id.0, name)).collect(),
            amenities: new_amenities.map(|(id, name)| (id.0, name)).collect(),
            places: catalogue.tree.planted(&places),
        }
    }

    /// Their names, for the report.
    pub(super) fn created(&self, catalogue: &Catalogue) -> Created {
        Created {
            types: self.types.iter().map(|(_, name)| name.to_string()).collect(),
            amenities: self.amenities.iter().map(|(_, name)| name.to_string()).collect(),
            locations: self.places.iter().map(|place| catalogue.tree.path(place.id)).collect(),
        }
    }
}

/// Writes a plan.
pub(super) async fn apply(
    tx: &mut Tx,
    organization: OrganizationId,
    origin: &Origin,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), Problem> {
    let changes = plan.changes();
    let missing = Missing::of(&plan.catalogue, &changes);
    insert_named(tx, organization, &missing).await?;
    insert_places(tx, organization, &missing.places).await?;
    forget_plans(tx).await?;
    let new: Vec<_> = changes.iter().filter(|entry| entry.before.is_none()).map(|entry| row(entry)).collect();
    for chunk in new.chunks(CHUNK) {
        write::insert(tx, organization, chunk).await?;
    }
    forget_plans(tx).await?;
    // Parts may be named before they stand in the file, so links follow when all resources are there.
    for chunk in changes.chunks(CHUNK) {
        write_chunk(tx, organization, origin, chunk, now).await?;
    }
    Ok(())
}

/// The session may keep plans from when a table was empty, those of foreign keys among them: they read the whole table
/// for each row, which for 20,000 rows takes minutes instead of seconds. New plans see how large the table has become.
async fn forget_plans(tx: &mut Tx) -> Result<(), Problem> {
    sqlx::query("discard plans").execute(&mut **tx).await?;
    Ok(())
}

async fn write_chunk(
    tx: &mut Tx,
    organization: OrganizationId,
    origin: &Origin,
    chunk: &[&Entry],
    now: Timestamp,
) -> Result<(), Problem> {
    let old: Vec<_> = chunk.iter().filter(|entry| entry.before.is_some()).map(|entry| row(entry)).collect();
    let old_ids: Vec<_> = old.iter().map(|(id, _)| *id).collect();
    let mut before = states::states(tx, organization, &old_ids).await?;
    write::update(tx, organization, &old).await?;
    let links = chunk
        .iter()
        .map(|entry| (entry.id, entry.before.as_ref().map(|before| &before.content), &entry.after));
    write::link(tx, organization, &links.collect::<Vec<_>>()).await?;
    let ids: Vec<_> = chunk.iter().map(|entry| entry.id).collect();
    let mut after = states::states(tx, organization, &ids).await?;
    for id in ids {
        let Some(state) = after.remove(&id) else { continue };
        let before = before.remove(&id).map(|state| state.resource);
        events::tell(tx, organization, origin, before, state.resource, now).await?;
    }
    Ok(())
}

const fn row(entry: &Entry) -> (kernel::ResourceId, &Content) {
    (entry.id, &entry.after)
}

async fn insert_named(
    tx: &mut Tx,
    organization: OrganizationId,
    missing: &Missing<'_>,
) -> Result<(), Problem> {
    let (ids, names, keys) = columns(&missing.types);
    sqlx::query!(
        "insert into resources.resource_type (organization_id, id, name, name_key)
         select $1, * from unnest($2::uuid[], $3::text[], $4::text[])",
        organization.0,
        &ids,
        &names,
        &keys,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("resource_type_name", || Error::CatalogueChanged)?;
    let (ids, names, keys) = columns(&missing.amenities);
    sqlx::query!(
        "insert into resources.amenity (organization_id, id, name, name_key)
         select $1, * from unnest($2::uuid[], $3::text[], $4::text[])",
        organization.0,
        &ids,
        &names,
        &keys,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("amenity_name", || Error::CatalogueChanged)?;
    Ok(())
}

fn columns(named: &[(Uuid, &Name)]) -> (Vec<Uuid>, Vec<String>, Vec<String>) {
    let ids = named.iter().map(|(id, _)| *id).collect();
    (
        ids,
        named.iter().map(|(_, name)| name.to_string()).collect(),
        named.iter().map(|(_, name)| name.key()).collect(),
    )
}

async fn insert_places(
    tx: &mut Tx,
    organization: OrganizationId,
    places: &[&crate::location::Place],
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = places.iter().map(|place| place.id.0).collect();
    let parents: Vec<Option<Uuid>> = places.iter().map(|place| place.parent_id.map(|id| id.0)).collect();
    let kinds: Vec<String> = places.iter().map(|place| place.kind.name().to_owned()).collect();
    let names: Vec<String> = places.iter().map(|place| place.name.to_string()).collect();
    let keys: Vec<String> = places.iter().map(|place| place.name.key()).collect();
    sqlx::query!(
        "insert into resources.location (organization_id, id, parent_id, kind, name, name_key)
         select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])",
        organization.0,
        &ids,
        &parents as &[Option<Uuid>],
        &kinds,
        &names,
        &keys,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("location_name", || Error::CatalogueChanged)?;
    Ok(())
}
