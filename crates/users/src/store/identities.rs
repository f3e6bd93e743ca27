//! Who somebody is to an identity provider: linked to an account, found by it, taken away.

use contracts::users::{IdentityLinked, IdentityUnlinked};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;

use crate::single_sign_on::refusal::Refusal;

/// The account of a provider's subject, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from users.identity
           where organization_id = $1 and issuer = $2 and subject = $3"#,
        organization.0,
        issuer,
        subject,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Links an account to a provider's subject, and tells of it. Of two at once one succeeds.
///
/// # Errors
/// 403 `other_identity` when either is linked already to something else, or when the database fails.
pub async fn link(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    (issuer, subject): (&str, &str),
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    let made = sqlx::query!(
        "insert into users.identity (organization_id, issuer, subject, user_id, created_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        organization.0,
        issuer,
        subject,
        user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    if made.rows_affected() == 1 {
        let event = IdentityLinked { user_id: user, issuer: issuer.to_owned() };
        events::append(tx, organization, origin, &event, now).await?;
        return Ok(());
    }
    // The same once more changes nothing.
    match find(tx, organization, issuer, subject).await? {
        Some(linked) if linked == user => Ok(()),
        _ => Err(Refusal::SomebodyElse.into()),
    }
}

/// Takes all links of an account away; whether there were any.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query!(
        "delete from users.sign_on_flow where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    let gone = sqlx::query!(
        "delete from users.identity where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    );
    Ok(gone.execute(&mut **tx).await?.rows_affected() > 0)
}

/// The same, and tells of it.
///
/// # Errors
/// When the database fails.
pub async fn unlink(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let gone = forget(tx, organization, user).await?;
    if gone {
        events::append(tx, organization, origin, &IdentityUnlinked { user_id: user }, now).await?;
    }
    Ok(gone)
}

/// Whether an account is linked to a provider.
///
/// # Errors
/// When the database fails.
pub async fn is_linked(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    issuer: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.identity
           where organization_id = $1 and user_id = $2 and issuer = $3) as "linked!""#,
        organization.0,
        user.0,
        issuer,
    )
    .fetch_one(&mut **tx)
    .await
}
