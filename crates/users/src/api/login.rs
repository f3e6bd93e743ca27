//! `POST /api/v1/auth/login`: a session for e-mail address and password.

use axum::extract::State;
use contracts::users::SessionStarted;
use garde::Validate;
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use kernel::{Email, OrganizationId, Role, SessionId, UserId};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Tokens, TokensAnswer, fields, tokens};
use crate::App;
use crate::config::DEMANDED;
use crate::error::Error;
use crate::naming::Naming;
use crate::refresh_token::RefreshToken;
use crate::settings::demands_verification;
use crate::store::{accounts, organizations, sessions, settings};
use crate::token::Bearer;

/// Who signs in, and where.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
pub struct Request {
    /// The account's address.
    #[garde(skip)]
    pub email: Email,
    /// The account's password.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// The slug of the organization; when absent, `X-Organization` or the host name says which, or there is only one.
    #[garde(length(chars, min = 1, max = 63))]
    #[schema(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
}

/// An account that someone claims is theirs.
#[derive(Debug)]
struct Claimed {
    organization: OrganizationId,
    user: UserId,
    hash: String,
}

/// Signs in. Whatever is wrong, the answer is the same, after the same work.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    operation_id = "login",
    tag = "auth",
    summary = "Sign in",
    request_body = Request,
    responses(
        (status = 200, description = "Tokens of a new session", body = Tokens),
        (status = 401, description = "invalid_credentials"),
        (status = 403, description = "email_not_verified: the password is right, and the address has to be verified first"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn login(
    State(app): State<App>,
    correlation: Correlation,
    naming: Naming,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let claimed = claimed(&app, &naming, &request).await?;
    // No connection is held meanwhile.
    let hash = claimed.as_ref().map(|claimed| claimed.hash.clone());
    let is_right = app.passwords.verify(&request.password, hash).await?;
    let claimed = claimed.filter(|_| is_right).ok_or(Error::InvalidCredentials)?;
    let mut tx = app.context.db.begin(claimed.organization).await?;
    let role = still_may(&mut tx, &claimed).await?.ok_or(Error::InvalidCredentials)?;
    demand_verification(&app, &mut tx, &claimed).await?;
    let session = begin(&app, &mut tx, &claimed, correlation).await?;
    tx.commit().await?;
    let bearer =
        Bearer { organization: claimed.organization, user: claimed.user, session: session.session, role };
    tokens(&app, bearer, &session).await
}

async fn claimed(app: &App, naming: &Naming, request: &Request) -> Result<Option<Claimed>, Problem> {
    let found = organizations::find(&app.context.db, request.organization.as_deref(), naming).await?;
    let Some(organization) = found.map(|found| found.id) else { return Ok(None) };
    let mut tx = app.context.db.begin(organization).await?;
    let claimed = sqlx::query_as!(
        Claimed,
        r#"select a.organization_id as "organization: OrganizationId", a.id as "user: UserId", p.hash
           from users.account a
           join users.password p on p.organization_id = a.organization_id and p.user_id = a.id
           where a.organization_id = $1 and a.email = $2 and a.removed_at is null"#,
        organization.0,
        request.email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(claimed)
}

/// The role of an account that may sign in, whose password is still the one that was checked; locks it, so that a
/// change of password or a deactivation either comes first or ends this session too.
async fn still_may(tx: &mut Tx, claimed: &Claimed) -> Result<Option<Role>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select a.role as "role: Role" from users.account a
           join users.password p on p.organization_id = a.organization_id and p.user_id = a.id
           where a.organization_id = $1 and a.id = $2 and a.active and p.hash = $3
           for no key update of a"#,
        claimed.organization.0,
        claimed.user.0,
        claimed.hash,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Only to who knows the password: to others it is the same as a wrong one.
async fn demand_verification(app: &App, tx: &mut Tx, claimed: &Claimed) -> Result<(), Problem> {
    let settings = settings::load(tx, claimed.organization).await?.settings;
    if !demands_verification(&settings, app.config.verification == DEMANDED) {
        return Ok(());
    }
    let account = accounts::load(tx, claimed.organization, claimed.user).await?;
    let verified = account.is_some_and(|account| account.email_verified);
    if verified { Ok(()) } else { Err(Error::EmailNotVerified.into()) }
}

/// Begins a session; the user's expired ones, of no more use, go.
async fn begin(
    app: &App,
    tx: &mut Tx,
    claimed: &Claimed,
    correlation: Correlation,
) -> Result<RefreshToken, sqlx::Error> {
    let now = app.context.clock.now();
    let days = i64::from(app.config.refresh_token_days);
    let token = RefreshToken::mint(claimed.organization, SessionId::mint());
    sqlx::query!(
        "delete from users.session where organization_id = $1 and user_id = $2 and expires_at <= $3",
        claimed.organization.0,
        claimed.user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into users.session (organization_id, id, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)",
        claimed.organization.0,
        token.session.0,
        claimed.user.0,
        now.to_sqlx(),
        (now + SignedDuration::from_hours(24 * days)).to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sessions::keep(tx, &token, now).await?;
    let origin = Origin { actor: Some(claimed.user), on_behalf_of: None, correlation };
    let event = SessionStarted { session_id: token.session, user_id: claimed.user };
    events::append(tx, claimed.organization, &origin, &event, now).await?;
    Ok(token)
}
