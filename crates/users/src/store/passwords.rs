//! Hashes of passwords: read, replaced, and replaced with a link.

use contracts::users::{LetterKind, SessionEnd, UserChanged};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, PasswordResetId, UserId};
use platform::db::{Db, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use subtle::ConstantTimeEq as _;

use super::sessions::{Ending, Which};
use super::{letters, second_factor};
use crate::account::Account;
use crate::opaque_token::ResetToken;

/// Links of an account that may be asked for within [`WITHIN`]: more would only fill a mailbox.
const RESETS: i64 = 3;
/// See [`RESETS`].
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// The hash of an account's password, if it has one.
///
/// # Errors
/// When the database fails.
pub async fn load(
    db: &Db,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<String>, sqlx::Error> {
    let mut tx = db.begin(organization).await?;
    let hash = sqlx::query_scalar!(
        "select hash from users.password where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(hash)
}

/// Whether an account's password is still the one of a hash. The account was locked by a statement before: one that locks
/// and reads at once would read what was there before it waited.
///
/// # Errors
/// When the database fails.
pub async fn is_still(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    hash: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.password
           where organization_id = $1 and user_id = $2 and hash = $3) as "still!""#,
        organization.0,
        user.0,
        hash,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Sets a password, whatever there was.
///
/// # Errors
/// When the database fails.
pub async fn set(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    hash: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into users.password (organization_id, user_id, hash, created_at, updated_at)
         values ($1, $2, $3, $4, $4) on conflict (organization_id, user_id) do update set hash = excluded.hash",
        organization.0,
        user.0,
        hash,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells that a password is another, and ends sessions that were begun with the old one.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
    which: Which,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (state, fields) = (contracts::users::Account::from(account), vec!["password".to_owned()]);
    let event = UserChanged { user_id: account.id, before: state.clone(), after: state, fields };
    events::append(tx, organization, origin, &event, now).await?;
    let reason = SessionEnd::PasswordChanged;
    Ending { organization, user: account.id, reason, origin, now }.of(tx, which).await?;
    // What was asked for before is of the old password: links, another address, sign-ins between two factors.
    letters::forget(tx, organization, account.id, LetterKind::EmailChange).await?;
    second_factor::forget_challenges(tx, organization, account.id).await?;
    forget_resets(tx, organization, account.id).await
}

/// Remembers that a link was asked for; none when that was done too often.
///
/// # Errors
/// When the database fails.
pub async fn ask_reset(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Option<PasswordResetId>, sqlx::Error> {
    let asked = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.password_reset
           where organization_id = $1 and user_id = $2 and created_at > $3"#,
        organization.0,
        user.0,
        (now - WITHIN).to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    if asked >= RESETS {
        return Ok(None);
    }
    sqlx::query!(
        "delete from users.password_reset where organization_id = $1 and user_id = $2 and expires_at <= $3
           and created_at <= $4",
        organization.0,
        user.0,
        now.to_sqlx(),
        (now - WITHIN).to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let id = PasswordResetId::mint();
    sqlx::query!(
        "insert into users.password_reset (organization_id, id, user_id, expires_at, created_at)
         values ($1, $2, $3, $4, $5)",
        organization.0,
        id.0,
        user.0,
        expires_at.to_sqlx(),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(Some(id))
}

/// Makes the token of a link that was asked for, in place of one that was made before; none when it is too late.
///
/// # Errors
/// When the database fails.
pub async fn mint_reset(
    db: &Db,
    organization: OrganizationId,
    id: PasswordResetId,
    now: Timestamp,
) -> Result<Option<(ResetToken, Timestamp)>, Problem> {
    let token = ResetToken::mint(organization, id);
    let mut tx = db.begin(organization).await?;
    let expires_at = sqlx::query_scalar!(
        "update users.password_reset set hash = $3 where organization_id = $1 and id = $2 and expires_at > $4
         returning expires_at",
        organization.0,
        id.0,
        &token.hash(),
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(expires_at.map(|at| (token, at.to_jiff())))
}

/// Whose password a token sets; locks the request until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn find_reset(
    tx: &mut Tx,
    token: &ResetToken,
    now: Timestamp,
) -> Result<Option<UserId>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select user_id as "user_id: UserId", hash as "hash!" from users.password_reset
           where organization_id = $1 and id = $2 and expires_at > $3 and hash is not null for update"#,
        token.organization.0,
        token.id.0,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.filter(|row| row.hash.as_slice().ct_eq(&token.hash()).into()).map(|row| row.user_id))
}

/// Forgets every link of an account.
///
/// # Errors
/// When the database fails.
pub async fn forget_resets(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.password_reset where organization_id = $1 and user_id = $2",
        organization.0,
        user.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
