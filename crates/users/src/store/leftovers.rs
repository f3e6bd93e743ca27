//! What has run out and is of no more use: sessions, used refresh tokens, links, challenges, sign-ins on their way, invitations, dead keys.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::OrganizationId;
use platform::db::Db;
use platform::http::Problem;

/// How long what has run out is kept: longer than verifiers are told that a session is over.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a used refresh token is known again, so that whoever shows it ends the session.
const TOKENS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long a key that works no more stands in the list.
const API_KEYS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Organizations seen to in one round at most; the others have their turn in the next.
const MOST: i64 = 1000;

/// Deletes what has run out, organization by organization.
///
/// # Errors
/// When the database fails.
pub async fn prune(db: &Db, now: Timestamp) -> Result<(), Problem> {
    let mut finder = db.begin_as_finder().await?;
    let organizations = sqlx::query_scalar!(
        r#"select distinct organization_id as "id!: OrganizationId" from (
             select organization_id from users.session where least(ended_at, expires_at, idle_until) < $1
             union all select organization_id from users.refresh_token where used_at < $2
             union all select organization_id from users.api_key where least(revoked_at, expires_at) < $3
             union all select organization_id from users.letter where expires_at < $1
             union all select organization_id from users.password_reset where expires_at < $1
             union all select organization_id from users.sign_in_challenge where expires_at < $1
             union all select organization_id from users.invitation where expires_at < $1
             union all select organization_id from users.sign_on_flow where expires_at < $1
             union all select organization_id from users.spent_challenge where expires_at < $1
           ) leftover limit $4"#,
        (now - KEPT).to_sqlx(),
        (now - TOKENS_KEPT).to_sqlx(),
        (now - API_KEYS_KEPT).to_sqlx(),
        MOST,
    )
    .fetch_all(&mut *finder)
    .await?;
    finder.commit().await?;
    for organization in organizations {
        prune_one(db, organization, now).await?;
    }
    Ok(())
}

async fn prune_one(db: &Db, organization: OrganizationId, now: Timestamp) -> Result<(), Problem> {
    let mut tx = db.begin(organization).await?;
    let (old, id) = ((now - KEPT).to_sqlx(), organization.0);
    // With its refresh tokens.
    sqlx::query!(
        "delete from users.session where organization_id = $1 and least(ended_at, expires_at, idle_until) < $2",
        id,
        old,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "delete from users.refresh_token where organization_id = $1 and used_at < $2",
        id,
        (now - TOKENS_KEPT).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "delete from users.api_key where organization_id = $1 and least(revoked_at, expires_at) < $2",
        id,
        (now - API_KEYS_KEPT).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from users.password_reset where organization_id = $1 and expires_at < $2", id, old)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "delete from users.sign_in_challenge where organization_id = $1 and expires_at < $2",
        id,
        old
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from users.letter where organization_id = $1 and expires_at < $2", id, old)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from users.invitation where organization_id = $1 and expires_at < $2", id, old)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from users.sign_on_flow where organization_id = $1 and expires_at < $2", id, old)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from users.spent_challenge where organization_id = $1 and expires_at < $2", id, old)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
