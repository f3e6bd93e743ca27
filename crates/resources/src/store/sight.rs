//! What of the catalogue is there for a caller: what hides from them, by the rules, and what they manage all the same.

use std::collections::BTreeSet;

use contracts::rules::Who;
use kernel::{OrganizationId, ResourceId, Role};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;
use serde::Deserialize as _;
use uuid::Uuid;

use super::accounts;

/// What hides from a caller, and what is theirs to see whatever hides, as queries take it: see `resources.sees`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The organization, types, places with all below them, and resources, whose rules do not name the caller.
    pub hidden: Vec<Uuid>,
    /// The places of the caller's remit with all below them.
    pub places: Vec<Uuid>,
}

impl Sight {
    /// Of a caller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(tx: &mut Tx, actor: &Actor) -> Result<Self, Problem> {
        if actor.manages_all() {
            return Ok(Self::default());
        }
        let hiding = hiding(tx, actor.organization).await?;
        if hiding.is_empty() {
            return Ok(Self::default());
        }
        let groups = accounts::groups(tx, actor.organization, actor.user).await?;
        let is_out = |who: &Who| !who.includes(actor.user, actor.role, &groups);
        let hidden: Vec<Uuid> = hiding.iter().filter(|(_, who)| is_out(who)).map(|(id, _)| *id).collect();
        if hidden.is_empty() {
            return Ok(Self::default());
        }
        let remit = actor.remit.as_ref().filter(|_| actor.role >= Role::Manager);
        let places: Vec<Uuid> = remit.iter().flat_map(|remit| &remit.locations).map(|id| id.0).collect();
        let mut all_hidden = below(tx, actor.organization, &hidden).await?;
        all_hidden.extend(hidden);
        Ok(Self { hidden: all_hidden, places: below(tx, actor.organization, &places).await? })
    }

    /// Of some resources those that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn among(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        ids: impl IntoIterator<Item = ResourceId>,
    ) -> Result<BTreeSet<ResourceId>, Problem> {
        if self.hidden.is_empty() {
            return Ok(ids.into_iter().collect());
        }
        let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
        let seen = sqlx::query_scalar!(
            "select r.id from resources.resource r where r.organization_id = $1 and r.id = any($2)
             and resources.sees($1, r.id, r.type_id, r.location_id, $3, $4)",
            organization.0,
            &ids,
            &self.hidden,
            &self.places,
        );
        Ok(seen.fetch_all(&mut **tx).await?.into_iter().map(ResourceId).collect())
    }
}

/// Refuses a resource that is not there for the caller, in the words for one that is not there at all.
///
/// # Errors
/// 404, or when the database fails.
pub async fn demand(tx: &mut Tx, actor: &Actor, id: ResourceId) -> Result<(), Problem> {
    let sight = Sight::of(tx, actor).await?;
    let seen = sight.among(tx, actor.organization, [id]).await?;
    if seen.contains(&id) { Ok(()) } else { Err(Problem::not_found("resource")) }
}

/// Whether any rules of an organization say who sees something.
///
/// # Errors
/// When the database fails.
pub async fn hides(tx: &mut Tx, organization: OrganizationId) -> Result<bool, Problem> {
    let hides = sqlx::query_scalar!(
        r#"select exists (select from resources.rules where organization_id = $1 and see is not null) as "hides!""#,
        organization.0,
    );
    Ok(hides.fetch_one(&mut **tx).await?)
}

/// What hides from somebody, and from whom it does not.
async fn hiding(tx: &mut Tx, organization: OrganizationId) -> Result<Vec<(Uuid, Who)>, Problem> {
    let rows = sqlx::query!(
        r#"select scope_id, see as "see!" from resources.rules where organization_id = $1 and see is not null"#,
        organization.0,
    );
    let rows = rows.fetch_all(&mut **tx).await?.into_iter();
    rows.map(|row| Ok((row.scope_id, Who::deserialize(row.see)?)))
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|error| Problem::internal(&error))
}

/// Those of some ids that are locations, and all locations below them.
async fn below(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Uuid>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let below = sqlx::query_scalar!(
        r#"with recursive down as (
               select l.id from resources.location l where l.organization_id = $1 and l.id = any($2)
               union
               select l.id from down join resources.location l on l.organization_id = $1 and l.parent_id = down.id
           )
           select id as "id!" from down"#,
        organization.0,
        ids,
    );
    Ok(below.fetch_all(&mut **tx).await?)
}
