//! Types and amenities by their names.

use std::collections::HashMap;

use kernel::{AmenityId, OrganizationId, ResourceTypeId};
use platform::db::Tx;
use platform::http::Problem;

/// The types that have these keys.
///
/// # Errors
/// When the database fails.
pub async fn types(
    tx: &mut Tx,
    organization: OrganizationId,
    keys: &[String],
) -> Result<HashMap<String, ResourceTypeId>, Problem> {
    let rows = sqlx::query!(
        "select name_key, id from resources.resource_type where organization_id = $1 and name_key = any($2)",
        organization.0,
        keys,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name_key, ResourceTypeId(row.id))).collect())
}

/// The amenities that have these keys.
///
/// # Errors
/// When the database fails.
pub async fn amenities(
    tx: &mut Tx,
    organization: OrganizationId,
    keys: &[String],
) -> Result<HashMap<String, AmenityId>, Problem> {
    let rows = sqlx::query!(
        "select name_key, id from resources.amenity where organization_id = $1 and name_key = any($2)",
        organization.0,
        keys,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name_key, AmenityId(row.id))).collect())
}
