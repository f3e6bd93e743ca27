//! `POST /api/v1/auth/refresh`: new tokens for a refresh token, which works once.

use axum::extract::State;
use contracts::users::SessionEnd;
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Tokens, TokensAnswer, fields, tokens};
use crate::App;
use crate::error::Error;
use crate::opaque_token::RefreshToken;
use crate::store::session_starts::{idle_until, touch};
use crate::store::sessions::{self, Ending, Shown, Which};
use crate::store::{accounts, second_factor, settings};
use crate::token::{Bearer, Proof};

/// How often a session is continued within a minute at most: each time leaves a row behind for a week.
const PER_MINUTE: i64 = 30;

/// What continues a session, or ends it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshRequest)]
pub struct Request {
    /// The refresh token that was given last.
    #[garde(custom(fields::refresh_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub refresh_token: Secret,
}

/// Continues a session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    summary = "Exchange a refresh token for new tokens",
    request_body = Request,
    responses(
        (status = 200, description = "New tokens of the same session", body = Tokens),
        (status = 401, description = "invalid_refresh_token, refresh_token_reused (which ends the session)"),
        (status = 422, description = "invalid_input"),
        (status = 429, description = "too_many_refreshes")
    )
)]
pub async fn refresh(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let now = app.context.clock.now();
    let token = RefreshToken::parse(&request.refresh_token).ok_or(Error::InvalidRefreshToken)?;
    let organization = token.organization;
    let mut tx = app.context.db.begin(organization).await?;
    second_factor::hold_policy(&mut tx, organization).await?;
    let live = sessions::find(&mut tx, &token, now).await?.ok_or(Error::InvalidRefreshToken)?;
    let user = live.user;
    if live.shown == Shown::Used {
        // Nobody knows who showed it: the user or a thief.
        let origin = Origin { actor: None, on_behalf_of: None, correlation: correlation.clone() };
        let ending = Ending { organization, user, reason: SessionEnd::RefreshReused, origin: &origin, now };
        ending.of(&mut tx, Which::One(token.id)).await?;
        tx.commit().await?;
        return Err(Error::RefreshTokenReused.into());
    }
    if !settings::session_may_go_on(&mut tx, &token, now).await? {
        return Err(Error::InvalidRefreshToken.into());
    }
    let account = accounts::load(&mut tx, organization, user).await?;
    let account = account.filter(|account| account.active).ok_or(Error::InvalidRefreshToken)?;
    if is_too_often(&mut tx, &token, now).await? {
        return Err(Error::TooManyRefreshes.into());
    }
    sqlx::query!(
        "update users.refresh_token set used_at = $3 where organization_id = $1 and session_id = $2 and used_at is null",
        organization.0,
        token.id.0,
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let next = RefreshToken::mint(organization, token.id);
    sessions::keep(&mut tx, &next, now).await?;
    let idle_until = idle_until(&app.config, live.remembered, now);
    touch(&mut tx, organization, token.id, correlation.client.as_deref(), now, idle_until).await?;
    let scope = second_factor::limit(&mut tx, organization, account.role, live.second_factor).await?;
    tx.commit().await?;
    let proof = Some(Proof { at: live.authenticated_at, second_factor: live.second_factor });
    let (session, role, remit) = (token.id, account.role, account.remit);
    let bearer = Bearer { organization, user, session, role, remit, proof, scope, after: live.tokens_from };
    tokens(&app, bearer, Some(&next), now).await
}

async fn is_too_often(tx: &mut Tx, token: &RefreshToken, now: Timestamp) -> Result<bool, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.refresh_token
           where organization_id = $1 and session_id = $2 and created_at > $3"#,
        token.organization.0,
        token.id.0,
        (now - SignedDuration::from_mins(1)).to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count >= PER_MINUTE)
}
