//! Sessions and the refresh tokens that continue them.

use contracts::users::{SessionEnd, SessionEnded};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, SessionId, UserId};
use platform::db::Tx;
use platform::events::{self, Origin};
use subtle::ConstantTimeEq as _;

use crate::opaque_token::RefreshToken;

/// What a refresh token that was shown is in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The one to be used next.
    Current,
    /// One that was used already.
    Used,
}

/// What is known of a session that goes on.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// Whose it is.
    pub user: UserId,
    /// What the token that was shown is in it.
    pub shown: Shown,
    /// When its user last proved who they are.
    pub authenticated_at: Timestamp,
    /// Whether by two factors.
    pub second_factor: bool,
    /// Whether it is to be remembered.
    pub remembered: bool,
    /// Access tokens minted up to then count no more.
    pub tokens_from: Option<Timestamp>,
}

/// The session of a refresh token, locked until the transaction ends; none when it is over or the token not known.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, token: &RefreshToken, now: Timestamp) -> Result<Option<Live>, sqlx::Error> {
    let session = sqlx::query!(
        r#"select user_id as "user_id: UserId", authenticated_at, second_factor, remembered, tokens_from
           from users.session
           where organization_id = $1 and id = $2 and ended_at is null and expires_at > $3 and idle_until > $3
           for no key update"#,
        token.organization.0,
        token.id.0,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(session) = session else { return Ok(None) };
    let hash = token.hash();
    let kept = sqlx::query!(
        r#"select hash, used_at is not null as "used!" from users.refresh_token
           where organization_id = $1 and session_id = $2 and (used_at is null or hash = $3)"#,
        token.organization.0,
        token.id.0,
        &hash,
    )
    .fetch_all(&mut **tx)
    .await?;
    let same = kept.iter().find(|row| row.hash.as_slice().ct_eq(&hash).into());
    Ok(same.map(|row| Live {
        user: session.user_id,
        shown: if row.used { Shown::Used } else { Shown::Current },
        authenticated_at: session.authenticated_at.to_jiff(),
        second_factor: session.second_factor,
        remembered: session.remembered,
        tokens_from: session.tokens_from.map(|from| from.to_jiff()),
    }))
}

/// Keeps what is needed to know a token again.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, token: &RefreshToken, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into users.refresh_token (organization_id, session_id, hash, created_at) values ($1, $2, $3, $4)",
        token.organization.0,
        token.id.0,
        &token.hash(),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which of a user's sessions.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// This one.
    One(SessionId),
    /// All but this one.
    AllBut(SessionId),
    /// All.
    All,
}

/// An end of sessions.
#[derive(Debug)]
pub struct Ending<'a> {
    /// The organization.
    pub organization: OrganizationId,
    /// Whose sessions.
    pub user: UserId,
    /// Why they end.
    pub reason: SessionEnd,
    /// Who ends them.
    pub origin: &'a Origin,
    /// When.
    pub now: Timestamp,
}

impl Ending<'_> {
    /// Ends the sessions that are not over yet, tells of each, and how many they were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&self, tx: &mut Tx, which: Which) -> Result<usize, sqlx::Error> {
        let (one, kept) = match which {
            Which::One(session) => (Some(session.0), None),
            Which::AllBut(session) => (None, Some(session.0)),
            Which::All => (None, None),
        };
        let ended = sqlx::query_scalar!(
            r#"update users.session set ended_at = $5
               where organization_id = $1 and user_id = $2 and ended_at is null and expires_at > $5
                 and ($3::uuid is null or id = $3) and ($4::uuid is null or id <> $4)
               returning id as "id: SessionId""#,
            self.organization.0,
            self.user.0,
            one,
            kept,
            self.now.to_sqlx(),
        )
        .fetch_all(&mut **tx)
        .await?;
        for &session_id in &ended {
            let event = SessionEnded { session_id, user_id: self.user, reason: self.reason };
            events::append(tx, self.organization, self.origin, &event, self.now).await?;
        }
        Ok(ended.len())
    }
}
