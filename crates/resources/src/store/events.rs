//! Telling what became of resources, in the transaction that made it so.

use contracts::resources::{Resource, ResourceChanged, ResourceCreated};
use jiff::Timestamp;
use kernel::OrganizationId;
use platform::db::Tx;
use platform::events::{Origin, append};
use platform::http::Problem;

/// A resource came to be, or changed from `before`.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    organization: OrganizationId,
    origin: &Origin,
    before: Option<Resource>,
    resource: Resource,
    now: Timestamp,
) -> Result<(), Problem> {
    match before {
        None => append(tx, organization, origin, &ResourceCreated { resource }, now).await?,
        Some(before) => append(tx, organization, origin, &ResourceChanged { before, resource }, now).await?,
    };
    Ok(())
}
