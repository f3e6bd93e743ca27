//! What is there for a caller, where one resource after the other has to be asked about.

use std::collections::BTreeSet;

use kernel::{OrganizationId, ResourceId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;

use super::known::Known;
use super::resources::tree;

/// Whether any rules of an organization say who sees something.
///
/// # Errors
/// When the database fails.
pub async fn hides(tx: &mut Tx, organization: OrganizationId) -> Result<bool, Problem> {
    let hides = sqlx::query_scalar!(
        r#"select exists (select from bookings.rules where organization_id = $1 and see is not null) as "hides!""#,
        organization.0,
    );
    Ok(hides.fetch_one(&mut **tx).await?)
}

/// Of some resources those that are not there for a caller.
///
/// # Errors
/// When the database fails.
pub async fn hidden(
    tx: &mut Tx,
    actor: &Actor,
    ids: BTreeSet<ResourceId>,
) -> Result<BTreeSet<ResourceId>, Problem> {
    if ids.is_empty() || actor.manages_all() || !hides(tx, actor.organization).await? {
        return Ok(BTreeSet::new());
    }
    let all: Vec<ResourceId> = ids.iter().copied().collect();
    let tree = tree(tx, actor.organization, &all).await?;
    let known = Known::load(tx, actor, tree).await?;
    Ok(ids.into_iter().filter(|id| !known.sees(*id)).collect())
}
