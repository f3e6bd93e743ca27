//! `POST /api/v1/auth/login`: a session for e-mail address and password, or the question for a second factor.

use axum::extract::State;
use contracts::users::UserLocked;
use garde::Validate;
use http::HeaderMap;
use kernel::{Email, Kind, OrganizationId, Role, UserId};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Tokens, TokensAnswer, agent, fields, tokens};
use crate::App;
use crate::error::Error;
use crate::naming::Naming;
use crate::organization::DEFAULT_SLUG;
use crate::single_sign_on::refusal::Refusal;
use crate::store::session_starts::Start;
use crate::store::settings::{self, Entry};
use crate::store::throttle::{self, Attempt, Count};
use crate::store::{organizations, second_factor, single_sign_on};
use crate::token::{Bearer, Proof};

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
    /// Whether the session is to last on this device: 30 days instead of one, unless the installation says otherwise.
    #[serde(default)]
    #[garde(skip)]
    pub remember: bool,
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
        (status = 403, description = "email_not_verified: the password is right, and the address has to be verified first; single_sign_on_demanded: the password is right, and not enough; second_factor_required: go on with its challenge at /api/v1/auth/second-factor"),
        (status = 422, description = "invalid_input"),
        (status = 429, description = "too_many_attempts, for the account or from the address"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn login(
    State(app): State<App>,
    correlation: Correlation,
    naming: Naming,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let (db, now) = (&app.context.db, app.context.clock.now());
    let slug = request.organization.as_deref();
    let organization = organizations::find(db, slug, &naming).await?.map(|found| found.id);
    let attempt = Attempt::by_name(
        &place(organization, slug, &naming),
        request.email.as_str(),
        correlation.client.as_deref(),
    );
    let count = attempt.begin(db, now).await?;
    let claimed = claimed(&app, organization, &request.email).await?;
    // No connection is held meanwhile.
    let hash = claimed.as_ref().map(|claimed| claimed.hash.clone());
    let is_right = app.passwords.verify(&request.password, hash).await?;
    let Some(claimed) = claimed else { return Err(Error::InvalidCredentials.into()) };
    if !is_right {
        tell_of_lock(&app, &claimed, count, &correlation);
        return Err(Error::InvalidCredentials.into());
    }
    let renewed = renewed(&app, &claimed, &request.password).await;
    let mut tx = db.begin(claimed.organization).await?;
    let role = still_may(&mut tx, &claimed).await?.ok_or(Error::InvalidCredentials)?;
    // Only to who knows the password: to others it is the same as a wrong one.
    match settings::entry(&mut tx, claimed.organization, claimed.user, app.config.demands_verification())
        .await?
    {
        Entry::Open => {}
        Entry::Disabled => return Err(Error::InvalidCredentials.into()),
        Entry::Unverified => return Err(Error::EmailNotVerified.into()),
    }
    if !single_sign_on::admits_password(&mut tx, claimed.organization, role).await? {
        return Err(Refusal::Demanded.into());
    }
    if let Some(hash) = renewed {
        replace(&mut tx, &claimed, &hash).await?;
    }
    if second_factor::is_enabled(&mut tx, claimed.organization, claimed.user).await? {
        let challenge =
            second_factor::challenge(&mut tx, claimed.organization, claimed.user, request.remember, now)
                .await?;
        tx.commit().await?;
        attempt.succeeded(db).await?;
        return Err(second_factor_required(&challenge.text()));
    }
    let start = Start {
        organization: claimed.organization,
        user: claimed.user,
        remember: request.remember,
        second_factor: false,
        agent: agent(&headers),
        correlation: &correlation,
        now,
    };
    let session = start.begin(&mut tx, &app.config).await?;
    let scope = second_factor::limit(&mut tx, claimed.organization, role, false).await?;
    tx.commit().await?;
    attempt.succeeded(db).await?;
    let proof = Some(Proof { at: now, second_factor: false });
    let (organization, user) = (claimed.organization, claimed.user);
    let bearer = Bearer { organization, user, session: session.id, role, proof, scope, after: None };
    tokens(&app, bearer, Some(&session)).await
}

/// Where attempts are counted: in the organization, or under the name that led to none.
fn place(organization: Option<OrganizationId>, slug: Option<&str>, naming: &Naming) -> String {
    let named = slug.or(naming.slug.as_deref()).or(naming.host.as_deref()).unwrap_or(DEFAULT_SLUG);
    organization.map_or_else(|| named.to_owned(), |id| id.to_string())
}

/// The password was right, and is not enough.
pub(super) fn second_factor_required(challenge: &str) -> Problem {
    let detail = "Send a code of your app, or a recovery code, with this challenge.";
    let mut problem = Problem::new(Kind::Forbidden, "second_factor_required", detail);
    problem.members.insert("challenge".into(), challenge.into());
    problem.members.insert("methods".into(), serde_json::json!(["totp", "recovery_code"]));
    problem.members.insert("expires_in".into(), second_factor::CHALLENGE.as_secs().into());
    problem
}

async fn claimed(
    app: &App,
    organization: Option<OrganizationId>,
    email: &Email,
) -> Result<Option<Claimed>, Problem> {
    let Some(organization) = organization else { return Ok(None) };
    let mut tx = app.context.db.begin(organization).await?;
    let claimed = sqlx::query_as!(
        Claimed,
        r#"select a.organization_id as "organization: OrganizationId", a.id as "user: UserId", p.hash
           from users.account a
           join users.password p on p.organization_id = a.organization_id and p.user_id = a.id
           where a.organization_id = $1 and a.email = $2 and a.removed_at is null"#,
        organization.0,
        email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Tells the owner of a lock, beside the answer: how long that takes must not show that there is an owner.
fn tell_of_lock(app: &App, claimed: &Claimed, count: Count, correlation: &Correlation) {
    if !count.locks() {
        return;
    }
    let (db, now) = (app.context.db.clone(), app.context.clock.now());
    let (organization, user_id, failures) = (claimed.organization, claimed.user, count.failures);
    let origin = Origin { actor: None, on_behalf_of: None, correlation: correlation.clone() };
    tokio::spawn(async move {
        let event = UserLocked { user_id, until: now + throttle::LONGEST, failures };
        let told = async {
            let mut tx = db.begin(organization).await?;
            events::append(&mut tx, organization, &origin, &event, now).await?;
            tx.commit().await
        };
        if let Err(error) = told.await {
            tracing::error!(%error, user = %user_id, "the owner was not told of a lock");
        }
    });
}

/// The password hashed anew, where the hash was made with less work than is demanded now. When the machine is too busy for
/// it, the next sign-in will do.
async fn renewed(app: &App, claimed: &Claimed, password: &Secret) -> Option<String> {
    if !app.passwords.is_outdated(&claimed.hash) {
        return None;
    }
    app.passwords.hash(password).await.ok()
}

async fn replace(tx: &mut Tx, claimed: &Claimed, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.password set hash = $4 where organization_id = $1 and user_id = $2 and hash = $3",
        claimed.organization.0,
        claimed.user.0,
        claimed.hash,
        hash,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
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
