//! How a session begins, rests and ends by itself, and that its access tokens have to be exchanged.

use contracts::users::SessionStarted;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{Clock, OrganizationId, SessionId, UserId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Correlation;

use super::sessions;
use crate::config::Config;
use crate::device;
use crate::opaque_token::RefreshToken;

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct Start<'a> {
    /// The organization.
    pub organization: OrganizationId,
    /// Who signed in.
    pub user: UserId,
    /// Whether the session is to be remembered.
    pub remember: bool,
    /// Whether by two factors.
    pub second_factor: bool,
    /// The `User-Agent`.
    pub agent: Option<String>,
    /// The request.
    pub correlation: &'a Correlation,
    /// When.
    pub now: Timestamp,
}

/// From which time on a session that rests is over.
#[must_use]
pub fn idle_until(config: &Config, remembered: bool, now: Timestamp) -> Timestamp {
    let idle = match remembered {
        true => SignedDuration::from_hours(24 * i64::from(config.remembered_idle_days)),
        false => SignedDuration::from_mins(i64::from(config.session_idle_minutes)),
    };
    now + idle
}

impl Start<'_> {
    /// Begins the session; the user's expired ones, of no more use, go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(self, tx: &mut Tx, config: &Config) -> Result<RefreshToken, sqlx::Error> {
        let now = self.now;
        let hours = match self.remember {
            true => 24 * i64::from(config.refresh_token_days),
            false => i64::from(config.session_hours),
        };
        // A new id each time, whatever was shown before: nobody can be made to sign in to a session that is known.
        let token = RefreshToken::mint(self.organization, SessionId::mint());
        sqlx::query!(
            "delete from users.session where organization_id = $1 and user_id = $2 and expires_at <= $3",
            self.organization.0,
            self.user.0,
            now.to_sqlx(),
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into users.session (organization_id, id, user_id, created_at, expires_at, agent, address, last_seen_at,
                                        idle_until, remembered, authenticated_at, second_factor)
             values ($1, $2, $3, $4, $5, $6, $7, $4, $8, $9, $4, $10)",
            self.organization.0,
            token.id.0,
            self.user.0,
            now.to_sqlx(),
            (now + SignedDuration::from_hours(hours)).to_sqlx(),
            self.agent,
            self.correlation.client,
            idle_until(config, self.remember, now).to_sqlx(),
            self.remember,
            self.second_factor,
        )
        .execute(&mut **tx)
        .await?;
        sessions::keep(tx, &token, now).await?;
        let origin =
            Origin { actor: Some(self.user), on_behalf_of: None, correlation: self.correlation.clone() };
        let device = Some(device::name(self.agent.as_deref()));
        let event = SessionStarted { session_id: token.id, user_id: self.user, device };
        events::append(tx, self.organization, &origin, &event, now).await?;
        Ok(token)
    }
}

/// The session was used: it may rest anew.
///
/// # Errors
/// When the database fails.
pub async fn touch(
    tx: &mut Tx,
    organization: OrganizationId,
    session: SessionId,
    address: Option<&str>,
    now: Timestamp,
    idle_until: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.session set last_seen_at = $3, idle_until = $4, address = coalesce($5, address)
         where organization_id = $1 and id = $2",
        organization.0,
        session.0,
        now.to_sqlx(),
        idle_until.to_sqlx(),
        address,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A session whose owner has proved again who they are.
#[derive(Debug)]
pub struct Proved {
    /// The time after which its tokens have to be minted to count.
    pub tokens_from: Option<Timestamp>,
}

/// The user has proved again who they are; none when the session is over.
///
/// # Errors
/// When the database fails.
pub async fn prove(
    tx: &mut Tx,
    organization: OrganizationId,
    session: SessionId,
    second_factor: bool,
    now: Timestamp,
) -> Result<Option<Proved>, sqlx::Error> {
    let proved = sqlx::query!(
        "update users.session set authenticated_at = $3, second_factor = second_factor or $4
         where organization_id = $1 and id = $2 and ended_at is null and expires_at > $3 and idle_until > $3
         returning tokens_from",
        organization.0,
        session.0,
        now.to_sqlx(),
        second_factor,
    );
    let row = proved.fetch_optional(&mut **tx).await?;
    Ok(row.map(|row| Proved { tokens_from: row.tokens_from.map(|from| from.to_jiff()) }))
}

/// What a user may has changed: their access tokens have to be exchanged for new ones.
///
/// The clock is read when the sessions are locked: a token that somebody mints out of what was before has an earlier time.
///
/// # Errors
/// When the database fails.
pub async fn renew_tokens(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    clock: &dyn Clock,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select from users.session where organization_id = $1 and user_id = $2 and ended_at is null
         order by id for no key update",
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "select from users.api_key where organization_id = $1 and user_id = $2 and revoked_at is null
         order by id for no key update",
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let now = clock.now();
    sqlx::query!(
        "update users.session set tokens_from = $3
         where organization_id = $1 and user_id = $2 and ended_at is null and expires_at > $3",
        organization.0,
        user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update users.api_key set tokens_from = $3
         where organization_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3",
        organization.0,
        user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same for all sessions of an organization that were begun with one factor.
///
/// # Errors
/// When the database fails.
pub async fn renew_single_factor_tokens(
    tx: &mut Tx,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.session set tokens_from = $2
         where organization_id = $1 and not second_factor and ended_at is null and expires_at > $2",
        organization.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The second factor of an account is gone: none of its sessions counts as one with two factors, and access tokens that say
/// so have to be exchanged. The clock is read when the sessions are locked: what is minted before has an earlier time.
///
/// # Errors
/// When the database fails.
pub async fn forget_second_factor(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    clock: &dyn Clock,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select from users.session where organization_id = $1 and user_id = $2 and second_factor order by id
         for no key update",
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "update users.session set second_factor = false, tokens_from = $3
         where organization_id = $1 and user_id = $2 and second_factor",
        organization.0,
        user.0,
        clock.now().to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
