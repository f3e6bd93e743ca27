//! `POST /api/v1/auth/login`: a session for e-mail address and password, or the question for a second factor.

use axum::extract::State;
use contracts::users::LetterKind;
use garde::Validate;
use http::HeaderMap;
use kernel::{Email, Kind, OrganizationId, UserId};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::proof::tell_of_lock;
use super::{Tokens, TokensAnswer, agent, fields, tokens};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::naming::Naming;
use crate::organization::DEFAULT_SLUG;
use crate::passkey::Purpose;
use crate::settings::demands_verification;
use crate::single_sign_on::refusal::Refusal;
use crate::store::letters::{self, Addressee, Kept};
use crate::store::session_starts::Start;
use crate::store::settings::{self, Entry};
use crate::store::throttle::Attempt;
use crate::store::{accounts, organizations, passkeys, passwords, second_factor, single_sign_on};
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

/// The method that takes a ceremony.
const PASSKEY: &str = "passkey";

/// An account that someone claims is theirs.
#[derive(Debug)]
struct Claimed {
    organization: OrganizationId,
    user: UserId,
    hash: String,
    /// Whether its address has to be verified first.
    waits: bool,
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
        (status = 401, description = "invalid_credentials, also where the address has to be verified first: then the link is mailed again"),
        (status = 403, description = "single_sign_on_demanded: the password is right, and not enough; second_factor_required: go on with its challenge at /api/v1/auth/second-factor"),
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
    let verified = app.passwords.verify(&request.password, hash).await;
    let is_right = attempt.unless_failed(db, count, verified).await?;
    let Some(claimed) = claimed else { return Err(Error::InvalidCredentials.into()) };
    if !is_right || claimed.waits {
        // Whoever registered with an address to see whether it is taken sees as little when they sign in after it: an
        // account that waits for its first verification is as none, to the count and to the clock as well.
        if is_right {
            remind(&app, &claimed, &correlation);
        }
        tell_of_lock(&app, claimed.organization, claimed.user, count, &correlation);
        return Err(Error::InvalidCredentials.into());
    }
    let renewed = renewed(&app, &claimed, &request.password).await;
    let mut tx = db.begin(claimed.organization).await?;
    second_factor::hold_policy(&mut tx, claimed.organization).await?;
    let account = still_may(&mut tx, &claimed).await?.ok_or(Error::InvalidCredentials)?;
    // Anew: the settings may have changed since the account was read.
    match settings::entry(&mut tx, claimed.organization, claimed.user, app.config.demands_verification())
        .await?
    {
        Entry::Open => {}
        Entry::Disabled | Entry::Unverified => return Err(Error::InvalidCredentials.into()),
    }
    if !single_sign_on::admits_password(&mut tx, claimed.organization, account.role).await? {
        return Err(Refusal::Demanded.into());
    }
    if let Some(hash) = renewed {
        replace(&mut tx, &claimed, &hash).await?;
    }
    if second_factor::is_enabled(&mut tx, claimed.organization, claimed.user).await? {
        let challenge =
            second_factor::challenge(&mut tx, claimed.organization, claimed.user, request.remember, now)
                .await?;
        let who = (claimed.organization, claimed.user);
        let methods = methods(&app, &mut tx, who).await?;
        tx.commit().await?;
        attempt.succeeded(db).await?;
        return Err(second_factor_required(&app, who, &challenge.text(), &methods)?);
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
    let scope = second_factor::limit(&mut tx, claimed.organization, account.role, false).await?;
    tx.commit().await?;
    attempt.succeeded(db).await?;
    let proof = Some(Proof { at: now, second_factor: false });
    let (organization, user) = (claimed.organization, claimed.user);
    let (role, remit) = (account.role, account.remit);
    let bearer = Bearer { organization, user, session: session.id, role, remit, proof, scope, after: None };
    tokens(&app, bearer, Some(&session), now).await
}

/// Where attempts are counted: in the organization, or under the name that led to none.
fn place(organization: Option<OrganizationId>, slug: Option<&str>, naming: &Naming) -> String {
    let named = slug.or(naming.slug.as_deref()).or(naming.host.as_deref()).unwrap_or(DEFAULT_SLUG);
    organization.map_or_else(|| named.to_owned(), |id| id.to_string())
}

/// The first factor was right, and is not enough.
pub(super) fn second_factor_required(
    app: &App,
    (organization, user): (OrganizationId, UserId),
    challenge: &str,
    methods: &[&str],
) -> Result<Problem, Problem> {
    let detail = "Send a code of your app, a recovery code, or a passkey with this challenge.";
    let mut problem = Problem::new(Kind::Forbidden, "second_factor_required", detail);
    problem.members.insert("challenge".into(), challenge.into());
    problem.members.insert("methods".into(), serde_json::json!(methods));
    problem.members.insert("expires_in".into(), second_factor::CHALLENGE.as_secs().into());
    if methods.contains(&PASSKEY) {
        let purpose = Purpose::SecondFactor(organization, user);
        let (keyring, now) = (&app.context.keyring, app.context.clock.now());
        let begun = app.relying_party()?.begin_assertion(keyring, purpose, now)?;
        let passkey = serde_json::json!({"ceremony": begun.ceremony, "options": begun.options});
        problem.members.insert("passkey".into(), passkey);
    }
    Ok(problem)
}

/// How an account may show its second factor. A passkey, where the installation has a name to ask for it with.
pub(super) async fn methods(
    app: &App,
    tx: &mut Tx,
    (organization, user): (OrganizationId, UserId),
) -> Result<Vec<&'static str>, sqlx::Error> {
    let mut methods = Vec::new();
    if second_factor::has_app(tx, organization, user).await? {
        methods.push("totp");
    }
    if app.relying_party().is_ok() && passkeys::has(tx, organization, user).await? {
        methods.push(PASSKEY);
    }
    methods.push("recovery_code");
    Ok(methods)
}

async fn claimed(
    app: &App,
    organization: Option<OrganizationId>,
    email: &Email,
) -> Result<Option<Claimed>, Problem> {
    let Some(organization) = organization else { return Ok(None) };
    let mut tx = app.context.db.begin(organization).await?;
    let settings = settings::load(&mut tx, organization).await?.settings;
    let claimed = sqlx::query_as!(
        Claimed,
        r#"select a.organization_id as "organization: OrganizationId", a.id as "user: UserId", p.hash,
                  ($3 and not a.email_verified) as "waits!"
           from users.account a
           join users.password p on p.organization_id = a.organization_id and p.user_id = a.id
           where a.organization_id = $1 and a.email = $2 and a.removed_at is null"#,
        organization.0,
        email.as_str(),
        demands_verification(&settings, app.config.demands_verification()),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Mails the link that verifies the address again, beside the answer, and not more often than ever.
fn remind(app: &App, claimed: &Claimed, correlation: &Correlation) {
    let (db, now) = (app.context.db.clone(), app.context.clock.now());
    let (organization, user) = (claimed.organization, claimed.user);
    let origin = Origin { actor: None, on_behalf_of: None, correlation: correlation.clone() };
    tokio::spawn(async move {
        let reminded = async {
            let mut tx = db.begin(organization).await?;
            let account = accounts::lock(&mut tx, organization, user).await?;
            if account.is_some_and(|account| account.active && !account.email_verified) {
                let kind = LetterKind::EmailVerification;
                let kept = Kept { to: Addressee::Account(user), kind, email: None };
                letters::request(&mut tx, organization, kept, &origin, now).await?;
            }
            tx.commit().await?;
            Ok::<(), Problem>(())
        };
        if let Err(problem) = reminded.await {
            tracing::error!(code = problem.code, "a mail that verifies an address was not sent again");
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

/// An account that may sign in, whose password is still the one that was checked; locks it, so that a
/// change of password or a deactivation either comes first or ends this session too.
async fn still_may(tx: &mut Tx, claimed: &Claimed) -> Result<Option<Account>, sqlx::Error> {
    let (organization, user) = (claimed.organization, claimed.user);
    let account = accounts::lock(tx, organization, user).await?.filter(|account| account.active);
    let is_still = passwords::is_still(tx, organization, user, &claimed.hash).await?;
    Ok(account.filter(|_| is_still))
}
