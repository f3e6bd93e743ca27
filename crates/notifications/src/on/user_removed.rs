//! An account was removed: what the person was told is forgotten, and nothing is told them any more.

use contracts::users::UserRemoved;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

/// Forgets the person's messages with their deliveries and attempts, and keeps the id alone.
///
/// # Errors
/// When the database fails.
pub async fn user_removed(tx: &mut Tx, event: &Envelope, told: &UserRemoved) -> Result<(), Problem> {
    let (organization, user) = (event.organizationid.0, told.user_id);
    // What is being written to them by the other feed's reader is over first.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", user.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "insert into notifications.forgotten (organization_id, user_id) values ($1, $2)
         on conflict on constraint forgotten_pkey do nothing",
        organization,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.message where organization_id = $1 and user_id = $2",
        organization,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
