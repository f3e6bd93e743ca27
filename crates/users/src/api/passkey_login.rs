//! `POST /api/v1/auth/passkey`: a session for a passkey, which is two factors in one; and the form of such proofs.

use axum::extract::State;
use garde::Validate;
use http::HeaderMap;
use platform::config::Secret;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Tokens, TokensAnswer, agent, fields, tokens};
use crate::App;
use crate::error::Error;
use crate::passkey::{Assertion, Purpose};
use crate::single_sign_on::refusal::Refusal;
use crate::store::session_starts::Start;
use crate::store::settings::{self, Entry};
use crate::store::{accounts, passkeys, second_factor, single_sign_on};
use crate::token::{Bearer, Proof};

/// What an authenticator answered that was asked for a passkey.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyProof)]
pub struct PasskeyProof {
    /// The ceremony of the options.
    #[garde(custom(fields::ceremony))]
    #[schema(value_type = String, min_length = 1, max_length = 1024)]
    pub ceremony: Secret,
    /// The answer, as `PublicKeyCredential.toJSON()` gives it.
    #[garde(skip)]
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// The proof, and how long it is to count.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyLogin)]
pub struct Request {
    /// The passkey; it names its account.
    #[garde(dive)]
    pub passkey: PasskeyProof,
    /// Whether the session is to last on this device: 30 days instead of one, unless the installation says otherwise.
    #[serde(default)]
    #[garde(skip)]
    pub remember: bool,
}

/// Signs in. Nothing of it can be guessed, so nothing is counted: whoever knows an account's id could lock its owner out.
#[utoipa::path(
    post,
    path = "/api/v1/auth/passkey",
    operation_id = "passkey_login",
    tag = "auth",
    summary = "Sign in with a passkey",
    request_body = Request,
    responses(
        (status = 200, description = "Tokens of a new session", body = Tokens),
        (status = 401, description = "invalid_passkey"),
        (status = 403, description = "email_not_verified, single_sign_on_demanded"),
        (status = 409, description = "passkeys_unavailable"),
        (status = 422, description = "invalid_input")
    )
)]
pub async fn passkey_login(
    State(app): State<App>,
    correlation: Correlation,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let now = app.context.clock.now();
    let assertion = Assertion::parse(&request.passkey.credential)?;
    let (organization, user) = assertion.owner();
    let mut tx = app.context.db.begin(organization).await?;
    second_factor::hold_policy(&mut tx, organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::InvalidPasskey)?;
    let ceremony = request.passkey.ceremony.expose();
    let owner = (organization, user);
    passkeys::take(&app, &mut tx, owner, Purpose::SignIn, ceremony, &assertion, now).await?;
    if !single_sign_on::admits_password(&mut tx, organization, account.role).await? {
        return Err(Refusal::Demanded.into());
    }
    // Only to who has the passkey: to others it is the same as a wrong one.
    match settings::entry(&mut tx, organization, user, app.config.demands_verification()).await? {
        Entry::Open => {}
        Entry::Disabled => return Err(Error::InvalidPasskey.into()),
        Entry::Unverified => return Err(Error::EmailNotVerified.into()),
    }
    let start = Start {
        organization,
        user,
        remember: request.remember,
        second_factor: true,
        agent: agent(&headers),
        correlation: &correlation,
        now,
    };
    let session = start.begin(&mut tx, &app.config).await?;
    tx.commit().await?;
    let (role, remit) = (account.role, account.remit);
    let proof = Some(Proof { at: now, second_factor: true });
    let bearer =
        Bearer { organization, user, session: session.id, role, remit, proof, scope: None, after: None };
    tokens(&app, bearer, Some(&session), now).await
}
