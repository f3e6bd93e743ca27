//! Locations: one of them, and the whole tree.

use kernel::{LocationId, OrganizationId};
use platform::db::Tx;
use platform::http::Problem;

use crate::location::{Kind, Place, Tree};

/// The kind of a location; `None` when the organization has no such location.
///
/// # Errors
/// When the database fails.
pub async fn kind(
    tx: &mut Tx,
    organization: OrganizationId,
    id: LocationId,
) -> Result<Option<Kind>, Problem> {
    let name = sqlx::query_scalar!(
        "select kind from resources.location where organization_id = $1 and id = $2",
        organization.0,
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(name.and_then(|name| Kind::of(&name)))
}

/// A location and all it lies in, from the site down; empty when the organization has no such location.
///
/// # Errors
/// When the database fails.
pub async fn path(
    tx: &mut Tx,
    organization: OrganizationId,
    id: LocationId,
) -> Result<Vec<LocationId>, Problem> {
    let ids = sqlx::query_scalar!(
        r#"with recursive up as (
               select id, parent_id, 0 as height from resources.location where organization_id = $1 and id = $2
               union all
               select l.id, l.parent_id, up.height + 1 from up
               join resources.location l on l.organization_id = $1 and l.id = up.parent_id
           )
           select id as "id!" from up order by height desc"#,
        organization.0,
        id.0,
    );
    Ok(ids.fetch_all(&mut **tx).await?.into_iter().map(LocationId).collect())
}

/// All locations of the organization.
///
/// # Errors
/// When the database fails.
pub async fn tree(tx: &mut Tx, organization: OrganizationId) -> Result<Tree, Problem> {
    let rows = sqlx::query!(
        "select id, parent_id, kind, name, code_key from resources.location where organization_id = $1 order by id",
        organization.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let places = rows.into_iter().map(|row| {
        Ok(Place {
            id: LocationId(row.id),
            parent_id: row.parent_id.map(LocationId),
            kind: Kind::of(&row.kind).ok_or_else(|| Problem::internal(&"an unknown kind of location"))?,
            name: row.name.parse().map_err(|error| Problem::internal(&error))?,
            code_key: row.code_key,
            is_new: false,
        })
    });
    Ok(Tree::new(places.collect::<Result<_, Problem>>()?))
}
