//! The parts below resources, and the lock under which they change.

use std::collections::HashMap;

use kernel::{OrganizationId, ResourceId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use crate::parts::Parts;

/// Lets changes of parts take turns within an organization: two that are harmless alone could close a circle together.
/// To be taken before any row is locked.
///
/// # Errors
/// 503 when another change holds it for too long.
pub async fn lock(tx: &mut Tx, organization: OrganizationId) -> Result<(), Problem> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('resource_part' || $1::text, 0))")
        .bind(organization.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// All that these resources are made of, down to the last part.
///
/// # Errors
/// When the database fails.
pub async fn below(tx: &mut Tx, organization: OrganizationId, ids: &[ResourceId]) -> Result<Parts, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with recursive down as (
               select p.whole_id, p.part_id from resources.resource_part p
               where p.organization_id = $1 and p.whole_id = any($2)
               union
               select p.whole_id, p.part_id from down
               join resources.resource_part p on p.organization_id = $1 and p.whole_id = down.part_id
           )
           select whole_id as "whole_id!", part_id as "part_id!" from down"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut parts = Parts::new();
    for row in rows {
        parts.entry(ResourceId(row.whole_id)).or_default().insert(ResourceId(row.part_id));
    }
    Ok(parts)
}

/// The names of resources, and whether they are retired.
///
/// # Errors
/// When the database fails.
pub async fn names(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, (String, bool)>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select id, name, status = 'retired' as "retired!" from resources.resource
           where organization_id = $1 and id = any($2)"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (ResourceId(row.id), (row.name, row.retired))).collect())
}
