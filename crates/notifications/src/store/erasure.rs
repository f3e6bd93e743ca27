//! Forgetting a person whose account was removed, and keeping that they are: what comes late is written for nobody.

use kernel::{OrganizationId, UserId};
use platform::db::Tx;

/// Whether somebody was removed, whom nobody tells anything any more. Until the transaction ends their removal waits, so
/// that it finds what is being written to them now. Asked before any row of theirs is locked: the removal takes its lock
/// first as well.
///
/// # Errors
/// When the database fails.
pub async fn is_forgotten(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", user.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query_scalar!(
        r#"select exists (select from notifications.forgotten where organization_id = $1 and user_id = $2) as "is!""#,
        organization.0,
        user.0,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Forgets what somebody was told and what they wanted, and keeps their id alone.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<(), sqlx::Error> {
    // What is being written to them by the other feed's reader is over first.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", user.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "insert into notifications.forgotten (organization_id, user_id) values ($1, $2)
         on conflict on constraint forgotten_pkey do nothing",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.message where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    forget_wishes(tx, organization, user).await?;
    // Integrators are still told what waits for them; what has ended is of use to nobody. As text: their account stands in
    // several places of an event.
    sqlx::query!(
        "delete from notifications.webhook_delivery
         where organization_id = $1 and state <> 'queued' and position($2 in body) > 0",
        organization.0,
        user.to_string(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn forget_wishes(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from notifications.preference where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.quiet_hours where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.device where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.phone where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.unsubscribe_key where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.suppression where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
