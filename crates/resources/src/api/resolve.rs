//! What a request says by name or id, looked up: types, amenities, places, parts.

use std::collections::BTreeSet;

use kernel::{AmenityId, LocationId, OrganizationId, ResourceId, ResourceTypeId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::{FieldError, Problem};

use crate::error::Error;
use crate::name::Name;
use crate::parts::cycles;
use crate::resource::{Content, Status};
use crate::store::sight::Sight;
use crate::store::{names, parts, places};

/// One thing wrong with the input.
pub(super) fn wrong(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: pointer.into(), code: code.into(), detail: detail.into() }
}

/// The type of a name.
pub(super) async fn resource_type(
    tx: &mut Tx,
    organization: OrganizationId,
    name: &Name,
) -> Result<Result<ResourceTypeId, FieldError>, Problem> {
    let found = names::types(tx, organization, &[name.key()]).await?.remove(&name.key());
    Ok(found.ok_or_else(|| {
        wrong("/type", "unknown_type", format!("There is no resource type {:?}.", name.as_str()))
    }))
}

/// The amenities of names.
pub(super) async fn amenities(
    tx: &mut Tx,
    organization: OrganizationId,
    wanted: &[Name],
) -> Result<Result<BTreeSet<AmenityId>, Vec<FieldError>>, Problem> {
    let keys: Vec<_> = wanted.iter().map(Name::key).collect();
    let found = names::amenities(tx, organization, &keys).await?;
    let unknown: Vec<_> = wanted
        .iter()
        .enumerate()
        .filter(|(_, name)| !found.contains_key(&name.key()))
        .map(|(at, name)| {
            let detail = format!("There is no amenity {:?}.", name.as_str());
            wrong(format!("/amenities/{at}"), "unknown_amenity", detail)
        })
        .collect();
    Ok(if unknown.is_empty() { Ok(found.into_values().collect()) } else { Err(unknown) })
}

/// Whether a location is there.
pub(super) async fn location(
    tx: &mut Tx,
    organization: OrganizationId,
    id: Option<LocationId>,
) -> Result<Option<FieldError>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let is_there = places::kind(tx, organization, id).await?.is_some();
    Ok((!is_there).then(|| wrong("/location_id", "unknown_location", "There is no such location.")))
}

/// Whether each of these can be a part, and is there for the caller. One that is a part already may be retired: no request
/// puts it there.
pub(super) async fn parts(
    tx: &mut Tx,
    actor: &Actor,
    wanted: &[ResourceId],
    known: &BTreeSet<ResourceId>,
) -> Result<Vec<FieldError>, Problem> {
    let mut found = parts::names(tx, actor.organization, wanted).await?;
    let sight = Sight::of(tx, actor).await?;
    let seen = sight.among(tx, actor.organization, wanted.iter().copied()).await?;
    found.retain(|id, _| seen.contains(id));
    let mut errors = Vec::new();
    for (at, id) in wanted.iter().enumerate() {
        let pointer = format!("/parts/{at}");
        match found.get(id) {
            None => errors.push(wrong(pointer, "unknown_part", "There is no such resource.")),
            Some((name, true)) if !known.contains(id) => {
                errors.push(wrong(pointer, "part_retired", format!("{name:?} is retired.")))
            }
            Some(_) => {}
        }
    }
    Ok(errors)
}

/// What no request may ask for, whatever it names.
pub(super) fn rules(content: &Content) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if content.has_units_and_parts() {
        errors.push(wrong("/units", "whole_has_units", "What is made of parts has one unit."));
    }
    if content.status == Status::Retired {
        errors.push(wrong("/status", "use_delete", "Retire a resource with DELETE."));
    }
    errors
}

/// Refuses parts by which a resource would contain itself. The lock on parts is to be held.
pub(super) async fn no_cycle(
    tx: &mut Tx,
    organization: OrganizationId,
    id: ResourceId,
    wanted: &BTreeSet<ResourceId>,
) -> Result<(), Problem> {
    let ids: Vec<_> = wanted.iter().copied().collect();
    let mut graph = parts::below(tx, organization, &ids).await?;
    graph.insert(id, wanted.clone());
    let Some(cycle) = cycles(&graph).into_iter().next() else { return Ok(()) };
    let names = parts::names(tx, organization, &cycle).await?;
    // Closed by its first name, so that it reads as the way around.
    let around = cycle.iter().chain(cycle.first());
    let around = around.filter_map(|id| names.get(id)).map(|(name, _)| name.clone()).collect();
    Err(Error::PartsCycle(around).into())
}
