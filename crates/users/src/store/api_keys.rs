//! API keys: made, found by their secret, revoked.

use contracts::users::{ApiKeyCreated, ApiKeyRevoked};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{ApiKeyId, OrganizationId, Remit, Role, UserId};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use sqlx::types::Json;
use subtle::ConstantTimeEq as _;

use crate::client_key;
use crate::error::Error;

/// Keys of an account that work at most.
const KEYS: i64 = 50;

/// A key to be made.
#[derive(Debug)]
pub struct New {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose rights it has at most.
    pub user: UserId,
    /// What people call it.
    pub name: String,
    /// The permissions that it has.
    pub scopes: Vec<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Makes a key, and tells of it; the account's row is locked.
///
/// # Errors
/// 409 `too_many_api_keys`, or when the database fails.
pub async fn create(
    tx: &mut Tx,
    organization: OrganizationId,
    new: &New,
    secret: &Secret,
    (origin, by): (&Origin, UserId),
    now: Timestamp,
) -> Result<(), Problem> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.api_key
           where organization_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3"#,
        organization.0,
        new.user.0,
        now.to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    if count >= KEYS {
        return Err(Error::TooManyApiKeys.into());
    }
    sqlx::query!(
        "insert into users.api_key (organization_id, id, user_id, name, hash, scopes, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        organization.0,
        new.id.0,
        new.user.0,
        new.name,
        &client_key::hash(secret),
        &new.scopes,
        by.0,
        now.to_sqlx(),
        new.expires_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let (scopes, expires_at) = (new.scopes.clone(), new.expires_at);
    let event = ApiKeyCreated { key_id: new.id, user_id: new.user, scopes, expires_at };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(())
}

/// A key whose secret was shown, and the account behind it.
#[derive(Debug)]
pub struct Shown {
    /// Whose rights it has at most.
    pub user: UserId,
    /// What the account is now.
    pub role: Role,
    /// The places and people that it is limited to, as a manager's.
    pub remit: Option<Remit>,
    /// The permissions that the key has.
    pub scopes: Vec<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Access tokens minted up to then count no more.
    pub tokens_from: Option<Timestamp>,
}

/// The key of a secret, which is used now; none when it is wrong, over or revoked, or its account may not act.
///
/// # Errors
/// When the database fails.
pub async fn take(
    tx: &mut Tx,
    (organization, id): (OrganizationId, ApiKeyId),
    secret: &Secret,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Option<Shown>, sqlx::Error> {
    // Locked by itself: what the account is is read after a wait for whoever changes it.
    sqlx::query!(
        "select from users.api_key where organization_id = $1 and id = $2 for no key update",
        organization.0,
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let row = sqlx::query!(
        r#"select k.user_id as "user_id: UserId", a.role as "role: Role", a.remit as "remit: Json<Remit>", k.hash, k.scopes, k.expires_at, k.tokens_from
           from users.api_key k
           join users.account a on a.organization_id = k.organization_id and a.id = k.user_id
           where k.organization_id = $1 and k.id = $2 and k.revoked_at is null and k.expires_at > $3
             and a.active and a.removed_at is null"#,
        organization.0,
        id.0,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let row = row.filter(|row| row.hash.as_slice().ct_eq(&client_key::hash(secret)).into());
    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        "update users.api_key set last_used_at = $3, last_address = $4 where organization_id = $1 and id = $2",
        organization.0,
        id.0,
        now.to_sqlx(),
        address,
    )
    .execute(&mut **tx)
    .await?;
    Ok(Some(Shown {
        user: row.user_id,
        role: row.role,
        remit: row.remit.map(|remit| remit.0),
        scopes: row.scopes,
        expires_at: row.expires_at.to_jiff(),
        tokens_from: row.tokens_from.map(|from| from.to_jiff()),
    }))
}

/// Revokes a key, of a user if one is given; none when there is no such key that works.
///
/// # Errors
/// When the database fails.
pub async fn revoke(
    tx: &mut Tx,
    (organization, id): (OrganizationId, ApiKeyId),
    of: Option<UserId>,
    origin: &Origin,
    now: Timestamp,
) -> Result<Option<UserId>, sqlx::Error> {
    let user = sqlx::query_scalar!(
        r#"update users.api_key set revoked_at = $3
           where organization_id = $1 and id = $2 and revoked_at is null and ($4::uuid is null or user_id = $4)
           returning user_id as "user_id: UserId""#,
        organization.0,
        id.0,
        now.to_sqlx(),
        of.map(|user| user.0),
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(user_id) = user {
        events::append(tx, organization, origin, &ApiKeyRevoked { key_id: id, user_id }, now).await?;
    }
    Ok(user)
}

/// Revokes all keys of an account that is removed or closed, whose own event says so.
///
/// # Errors
/// When the database fails.
pub async fn forget(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.api_key set revoked_at = $3, last_address = null
         where organization_id = $1 and user_id = $2 and revoked_at is null",
        organization.0,
        user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
