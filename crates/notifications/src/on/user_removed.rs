//! An account was removed: what still waits to be sent to that person ends here, and what they wanted is forgotten.

use contracts::users::UserRemoved;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::delivery::REMOVED;

/// Fails the person's queued deliveries, and forgets what they wanted.
///
/// # Errors
/// When the database fails.
pub async fn user_removed(tx: &mut Tx, event: &Envelope, told: &UserRemoved) -> Result<(), Problem> {
    sqlx::query!(
        "update notifications.delivery d set state = 'failed', due_at = null, error = $3
         from notifications.message m
         where d.organization_id = $1 and d.state = 'queued'
           and m.organization_id = d.organization_id and m.id = d.message_id and m.user_id = $2",
        event.organizationid.0,
        told.user_id.0,
        REMOVED,
    )
    .execute(&mut **tx)
    .await?;
    let (organization, user) = (event.organizationid.0, told.user_id.0);
    sqlx::query!(
        "delete from notifications.preference where organization_id = $1 and user_id = $2",
        organization,
        user
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.quiet_hours where organization_id = $1 and user_id = $2",
        organization,
        user
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.unsubscribe_key where organization_id = $1 and user_id = $2",
        organization,
        user
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
