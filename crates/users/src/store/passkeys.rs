//! Passkeys of accounts, and the challenges that were met.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, PasskeyId, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;

use crate::App;
use crate::error::Error;
use crate::passkey::{Assertion, Challenge, Kept, Made, Purpose};

/// Passkeys of an account at most.
pub const MOST: usize = 20;

/// Whether an account has a passkey.
///
/// # Errors
/// When the database fails.
pub async fn has(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.passkey where organization_id = $1 and user_id = $2) as "exists!""#,
        organization.0,
        user.0,
    )
    .fetch_one(&mut **tx)
    .await
}

/// An account's passkeys as authenticators name them, and how browsers reach them.
///
/// # Errors
/// When the database fails.
pub async fn known(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<(Vec<u8>, u8)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select credential_id, transports from users.passkey where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let transports = |bits: i16| u8::try_from(bits).unwrap_or_default();
    Ok(rows.into_iter().map(|row| (row.credential_id, transports(row.transports))).collect())
}

/// Keeps a passkey that was made; its challenge is spent.
///
/// # Errors
/// 401 when the challenge was met before, 409 `passkey_taken` when an account has it already.
pub async fn keep(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    name: &str,
    made: &Made,
    now: Timestamp,
) -> Result<PasskeyId, Problem> {
    spend(tx, organization, made.challenge, now).await?;
    let id = PasskeyId::mint();
    sqlx::query!(
        "insert into users.passkey (organization_id, id, user_id, credential_id, public_key, state, transports, name, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        organization.0,
        id.0,
        user.0,
        made.kept.credential_id,
        made.kept.public_key,
        made.kept.state,
        i16::from(made.transports),
        name,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .on_constraint("passkey_credential", || Error::PasskeyTaken)?;
    Ok(id)
}

/// Takes what an authenticator answered as the proof of an account, whose row is locked; once.
///
/// # Errors
/// 401 `invalid_passkey` when it is of another account, or anything of it is wrong, or was shown before.
pub async fn take(
    app: &App,
    tx: &mut Tx,
    owner: (OrganizationId, UserId),
    purpose: Purpose,
    ceremony: &str,
    assertion: &Assertion,
    now: Timestamp,
) -> Result<(), Problem> {
    let (organization, user) = owner;
    if assertion.owner() != owner {
        return Err(Error::InvalidPasskey.into());
    }
    let row = sqlx::query!(
        r#"select id as "id: PasskeyId", public_key, state from users.passkey
           where organization_id = $1 and user_id = $2 and credential_id = $3 for update"#,
        organization.0,
        user.0,
        assertion.credential_id(),
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::InvalidPasskey)?;
    let kept =
        Kept { credential_id: assertion.credential_id(), public_key: row.public_key, state: row.state };
    let (keyring, party) = (&app.context.keyring, app.relying_party()?);
    let (state, challenge) = party.finish_assertion(keyring, purpose, ceremony, assertion, &kept, now)?;
    spend(tx, organization, challenge, now).await?;
    sqlx::query!(
        "update users.passkey set state = $3, last_used_at = $4 where organization_id = $1 and id = $2",
        organization.0,
        row.id.0,
        state,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A challenge is met, once. Those that nobody could meet any more are forgotten.
async fn spend(
    tx: &mut Tx,
    organization: OrganizationId,
    challenge: Challenge,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "delete from users.spent_challenge where organization_id = $1 and expires_at <= $2",
        organization.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let spent = sqlx::query!(
        "insert into users.spent_challenge (organization_id, challenge, expires_at) values ($1, $2, $3)
         on conflict (organization_id, challenge) do nothing",
        organization.0,
        challenge.bytes.as_slice(),
        challenge.expires_at.to_sqlx(),
    );
    match spent.execute(&mut **tx).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::InvalidPasskey.into()),
    }
}

/// Takes a passkey from an account; false when it has none of this id.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    id: PasskeyId,
) -> Result<bool, sqlx::Error> {
    let removed = sqlx::query!(
        "delete from users.passkey where organization_id = $1 and user_id = $2 and id = $3",
        organization.0,
        user.0,
        id.0,
    );
    Ok(removed.execute(&mut **tx).await?.rows_affected() == 1)
}
