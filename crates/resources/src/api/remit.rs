//! What of the catalogue a manager of some places may change.

use std::collections::BTreeSet;

use contracts::resources::Resource;
use kernel::{LocationId, ResourceId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;

use crate::store::{places, states};

/// Refuses a change of a resource that is elsewhere, before or after, and new parts that are.
///
/// # Errors
/// 403 `outside_remit`, or when the database fails.
pub(super) async fn demand_change(
    tx: &mut Tx,
    actor: &Actor,
    before: Option<&Resource>,
    after: &Resource,
) -> Result<(), Problem> {
    if actor.remit.is_none() {
        return Ok(());
    }
    let had: BTreeSet<ResourceId> = before.map(|before| before.parts.clone()).unwrap_or_default();
    let new: Vec<ResourceId> = after.parts.difference(&had).copied().collect();
    let parts = states::states(tx, actor.organization, &new).await?;
    let mut changed = before.into_iter().chain([after]).chain(parts.values().map(|part| &part.resource));
    changed.try_for_each(|one| actor.demand_place(&one.location_path))
}

/// Refuses what is in a location elsewhere, or in none.
///
/// # Errors
/// 403 `outside_remit`, or when the database fails.
pub(super) async fn demand_location(
    tx: &mut Tx,
    actor: &Actor,
    id: Option<LocationId>,
) -> Result<(), Problem> {
    if actor.remit.is_none() {
        return Ok(());
    }
    let path = match id {
        Some(id) => places::path(tx, actor.organization, id).await?,
        None => Vec::new(),
    };
    actor.demand_place(&path)
}
