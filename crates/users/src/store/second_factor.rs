//! Second factors: whether an account has one, whether its role has to, and the proof by it.

use contracts::users::{SecondFactorChange, SecondFactorChanged};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{ChallengeId, OrganizationId, Role, UserId};
use platform::auth::Scope;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use platform::sealing::Keyring;
use subtle::ConstantTimeEq as _;

use super::{passkeys, sealed};
use crate::opaque_token::ChallengeToken;
use crate::second_factor::{recovery_codes, recovery_hash, step};

/// How long a sign-in may rest between its two factors.
pub const CHALLENGE: SignedDuration = SignedDuration::from_mins(5);
/// Sign-ins of an account between their two factors at most; the oldest go.
const CHALLENGES: i64 = 5;

/// Whether an account has a second factor: an app or a passkey.
///
/// # Errors
/// When the database fails.
pub async fn is_enabled(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, sqlx::Error> {
    Ok(has_app(tx, organization, user).await? || passkeys::has(tx, organization, user).await?)
}

/// Whether an account has an app that makes codes.
///
/// # Errors
/// When the database fails.
pub async fn has_app(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.totp
           where organization_id = $1 and user_id = $2 and confirmed_at is not null) as "exists!""#,
        organization.0,
        user.0,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Holds what the organization demands until the transaction ends; comes first in it, before sessions are locked. Without
/// it, a session that begins beside a change of the policy is seen by neither: it does not see the policy, nor the change
/// the session. Held by any number at once, and of no row: all sign-ins of an organization would write to that one.
///
/// # Errors
/// When the database fails, or a change takes too long.
pub async fn hold_policy(tx: &mut Tx, organization: OrganizationId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock_shared(hashtextextended('reservas.users.sign_in_policy' || $1::text, 0))::text",
        organization.0.to_string(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
}

/// Waits for whoever holds the policy, and keeps others from it until the transaction ends: it is about to change.
///
/// # Errors
/// When the database fails, or somebody holds it for too long.
pub async fn lock_policy(tx: &mut Tx, organization: OrganizationId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('reservas.users.sign_in_policy' || $1::text, 0))::text",
        organization.0.to_string(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
}

/// What a session without a second factor is limited to: where the role demands one, to getting it.
///
/// # Errors
/// When the database fails.
pub async fn limit(
    tx: &mut Tx,
    organization: OrganizationId,
    role: Role,
    has_second_factor: bool,
) -> Result<Option<Scope>, sqlx::Error> {
    if has_second_factor {
        return Ok(None);
    }
    let is_demanded = sqlx::query_scalar!(
        r#"select $2 = any(second_factor_roles) as "demanded!" from users.organization where organization_id = $1"#,
        organization.0,
        role as Role,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(is_demanded.then(|| ["profile.own"].into_iter().collect()))
}

/// Remembers that the first factor was right.
///
/// # Errors
/// When the database fails.
pub async fn challenge(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    remember: bool,
    now: Timestamp,
) -> Result<ChallengeToken, sqlx::Error> {
    sqlx::query!(
        "delete from users.sign_in_challenge where organization_id = $1 and user_id = $2 and (expires_at <= $3
           or id in (select id from users.sign_in_challenge where organization_id = $1 and user_id = $2
                     order by id desc offset $4))",
        organization.0,
        user.0,
        now.to_sqlx(),
        CHALLENGES - 1,
    )
    .execute(&mut **tx)
    .await?;
    let token = ChallengeToken::mint(organization, ChallengeId::mint());
    sqlx::query!(
        "insert into users.sign_in_challenge (organization_id, id, user_id, hash, remember, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        organization.0,
        token.id.0,
        user.0,
        &token.hash(),
        remember,
        (now + CHALLENGE).to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(token)
}

/// Whose first factor was right, and whether the session is to be remembered.
///
/// # Errors
/// When the database fails.
pub async fn challenged(
    tx: &mut Tx,
    token: &ChallengeToken,
    now: Timestamp,
) -> Result<Option<(UserId, bool)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select user_id as "user_id: UserId", hash, remember from users.sign_in_challenge
           where organization_id = $1 and id = $2 and expires_at > $3"#,
        token.organization.0,
        token.id.0,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let row = row.filter(|row| row.hash.as_slice().ct_eq(&token.hash()).into());
    Ok(row.map(|row| (row.user_id, row.remember)))
}

/// The challenge is met, once.
///
/// # Errors
/// When the database fails.
pub async fn meet(tx: &mut Tx, token: &ChallengeToken) -> Result<bool, sqlx::Error> {
    let met = sqlx::query!(
        "delete from users.sign_in_challenge where organization_id = $1 and id = $2",
        token.organization.0,
        token.id.0,
    );
    Ok(met.execute(&mut **tx).await?.rows_affected() == 1)
}

/// The same for every sign-in of an account: what was begun ends.
///
/// # Errors
/// When the database fails.
pub async fn forget_challenges(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.sign_in_challenge where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An app whose codes are asked for, or one that is being set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totp {
    /// Its codes prove who somebody is.
    Confirmed,
    /// A first code confirms it; until then its codes prove nothing.
    Begun,
}

/// Whether a code of the account's app is right, and was not used before; it is used up.
///
/// # Errors
/// When the database fails, or the secret cannot be opened.
pub async fn take_code(
    tx: &mut Tx,
    keyring: &Keyring,
    organization: OrganizationId,
    user: UserId,
    (which, code): (Totp, &str),
    now: Timestamp,
) -> Result<bool, Problem> {
    let row = sqlx::query!(
        "select secret, last_step from users.totp
         where organization_id = $1 and user_id = $2 and (confirmed_at is not null) = $3 for update",
        organization.0,
        user.0,
        which == Totp::Confirmed,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let secret = keyring.open(&sealed::totp(organization, user), &row.secret)?;
    let Some(step) = step(secret.expose(), code, row.last_step, now)? else { return Ok(false) };
    sqlx::query!(
        "update users.totp set last_step = $3, confirmed_at = coalesce(confirmed_at, $4)
         where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
        step,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Whether a recovery code is one of the account's; it is used up, and the owner told.
///
/// # Errors
/// When the database fails.
pub async fn take_recovery_code(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    code: &str,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, Problem> {
    let used = sqlx::query!(
        "delete from users.recovery_code where organization_id = $1 and user_id = $2 and hash = $3",
        organization.0,
        user.0,
        &recovery_hash(organization, user, code),
    );
    let is_right = used.execute(&mut **tx).await?.rows_affected() == 1;
    if is_right {
        tell(tx, organization, user, SecondFactorChange::RecoveryCodeUsed, origin, now).await?;
    }
    Ok(is_right)
}

/// New recovery codes in place of the old ones.
///
/// # Errors
/// When the database fails.
pub async fn replace_recovery_codes(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<String>, sqlx::Error> {
    forget_recovery_codes(tx, organization, user).await?;
    let codes = recovery_codes();
    let hashes: Vec<Vec<u8>> =
        codes.iter().map(|code| recovery_hash(organization, user, code).to_vec()).collect();
    sqlx::query!(
        "insert into users.recovery_code (organization_id, user_id, hash) select $1, $2, unnest($3::bytea[])",
        organization.0,
        user.0,
        &hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(codes)
}

async fn forget_recovery_codes(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.recovery_code where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes the second factors from an account, app, passkeys and codes; false when it has none.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<bool, sqlx::Error> {
    forget_recovery_codes(tx, organization, user).await?;
    let removed = sqlx::query!(
        "delete from users.totp where organization_id = $1 and user_id = $2",
        organization.0,
        user.0
    );
    let app = removed.execute(&mut **tx).await?.rows_affected();
    let removed = sqlx::query!(
        "delete from users.passkey where organization_id = $1 and user_id = $2",
        organization.0,
        user.0
    );
    Ok(app + removed.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Tells of a change.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    change: SecondFactorChange,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let event = SecondFactorChanged { user_id: user, change };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(())
}
