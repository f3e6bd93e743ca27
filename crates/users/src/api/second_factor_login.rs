//! `POST /api/v1/auth/second-factor`: the second step of a sign-in.

use axum::extract::State;
use garde::Validate;
use http::HeaderMap;
use jiff::Timestamp;
use kernel::UserId;
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::passkey_login::PasskeyProof;
use super::proof::{self, settle};
use super::{Tokens, TokensAnswer, agent, fields, tokens};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::opaque_token::{ChallengeToken, RefreshToken};
use crate::passkey::{Assertion, Purpose};
use crate::store::session_starts::Start;
use crate::store::settings::{self, Entry};
use crate::store::throttle::Attempt;
use crate::store::{accounts, passkeys, second_factor};
use crate::token::{Bearer, Proof};

/// The challenge of the first step, and a code or a passkey: one of them.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorLogin)]
pub struct Request {
    /// The challenge of the answer to the password.
    #[garde(custom(fields::opaque_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub challenge: Secret,
    /// A code of the app, or a recovery code, which works once.
    #[garde(inner(custom(fields::code)))]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 32, example = "287082")]
    pub code: Option<Secret>,
    /// The answer to the passkey options of the first step.
    #[garde(dive)]
    pub passkey: Option<PasskeyProof>,
}

/// What shows the second factor.
enum Shown {
    Code(Secret),
    Passkey(Secret, Assertion),
}

impl Shown {
    fn of(code: Option<Secret>, passkey: Option<PasskeyProof>) -> Result<Self, Problem> {
        match (code, passkey) {
            (Some(code), None) => Ok(Self::Code(code)),
            (None, Some(proof)) => Ok(Self::Passkey(proof.ceremony, Assertion::parse(&proof.credential)?)),
            _ => Err(fields::one_of("/code", "Send either a code or a passkey.")),
        }
    }
}

/// Goes on signing in.
#[utoipa::path(
    post,
    path = "/api/v1/auth/second-factor",
    operation_id = "second_factor_login",
    tag = "auth",
    summary = "Sign in: the second factor",
    request_body = Request,
    responses(
        (status = 200, description = "Tokens of a new session", body = Tokens),
        (status = 401, description = "invalid_challenge, invalid_code, invalid_passkey"),
        (status = 403, description = "email_not_verified"),
        (status = 422, description = "invalid_input"),
        (status = 429, description = "too_many_attempts")
    )
)]
pub async fn second_factor_login(
    State(app): State<App>,
    correlation: Correlation,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let (db, now) = (&app.context.db, app.context.clock.now());
    let shown = Shown::of(request.code, request.passkey)?;
    let token = ChallengeToken::parse(&request.challenge).ok_or(Error::InvalidChallenge)?;
    let organization = token.organization;
    let mut tx = db.begin(organization).await?;
    let (user, remember) =
        second_factor::challenged(&mut tx, &token, now).await?.ok_or(Error::InvalidChallenge)?;
    tx.commit().await?;
    let attempt = Attempt::by_code(user, correlation.client.as_deref());
    let count = attempt.begin(db, now).await?;
    let met = meet(&app, (&token, user, remember), &shown, (&headers, &correlation), now).await;
    let (session, account) = settle(&app, (&attempt, count), (organization, user), &correlation, met).await?;
    let proof = Some(Proof { at: now, second_factor: true });
    let (role, remit) = (account.role, account.remit);
    let bearer =
        Bearer { organization, user, session: session.id, role, remit, proof, scope: None, after: None };
    tokens(&app, bearer, Some(&session), now).await
}

/// Takes what is shown and begins the session.
async fn meet(
    app: &App,
    (token, user, remember): (&ChallengeToken, UserId, bool),
    shown: &Shown,
    (headers, correlation): (&HeaderMap, &Correlation),
    now: Timestamp,
) -> Result<(RefreshToken, Account), Problem> {
    let organization = token.organization;
    let mut tx = app.context.db.begin(organization).await?;
    // Locked before the challenge is met: of two at once one signs in.
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::InvalidChallenge)?;
    // Anew: the settings may have changed since the password was shown.
    match settings::entry(&mut tx, organization, user, app.config.demands_verification()).await? {
        Entry::Open => {}
        Entry::Disabled => return Err(Error::InvalidChallenge.into()),
        Entry::Unverified => return Err(Error::EmailNotVerified.into()),
    }
    match shown {
        Shown::Code(code) => {
            let origin = Origin { actor: Some(user), on_behalf_of: None, correlation: correlation.clone() };
            proof::code(app, &mut tx, (organization, user), code.expose(), &origin, now).await?;
        }
        Shown::Passkey(ceremony, assertion) => {
            let (owner, purpose) = ((organization, user), Purpose::SecondFactor(organization, user));
            passkeys::take(app, &mut tx, owner, purpose, ceremony.expose(), assertion, now).await?;
        }
    }
    if !second_factor::meet(&mut tx, token).await? {
        return Err(Error::InvalidChallenge.into());
    }
    let start =
        Start { organization, user, remember, second_factor: true, agent: agent(headers), correlation, now };
    let session = start.begin(&mut tx, &app.config).await?;
    tx.commit().await?;
    Ok((session, account))
}
