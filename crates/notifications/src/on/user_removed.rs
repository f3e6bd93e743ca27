//! An account was removed: what the person was told and wanted is forgotten, and nothing is told them any more.

use contracts::users::UserRemoved;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::store::erasure::forget;

/// Forgets the person, and keeps the id alone.
///
/// # Errors
/// When the database fails.
pub async fn user_removed(tx: &mut Tx, event: &Envelope, told: &UserRemoved) -> Result<(), Problem> {
    forget(tx, event.organizationid, told.user_id).await?;
    Ok(())
}
