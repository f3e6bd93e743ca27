//! `POST /api/v1/auth/step-up`: the caller proves again who they are, for what demands a fresh proof.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::ProfileOwn;
use platform::auth::{Actor, Can};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::passkey_login::PasskeyProof;
use super::{Tokens, TokensAnswer, fields, proof, tokens};
use crate::App;
use crate::error::Error;
use crate::passkey::{Assertion, Purpose};
use crate::store::throttle::Attempt;
use crate::store::{accounts, passkeys, second_factor, session_starts};
use crate::token::{Bearer, Proof};

/// The proofs: the password, with a code where there is a second factor; or a passkey, which is two factors in one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepUp)]
pub struct Request {
    /// The caller's password.
    #[garde(inner(custom(fields::password)))]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Option<Secret>,
    /// A code of the app or a recovery code, where the account has a second factor.
    #[garde(inner(custom(fields::code)))]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 32, example = "287082")]
    pub code: Option<Secret>,
    /// The answer to the options of `/api/v1/auth/step-up/options`, in place of password and code.
    #[garde(dive)]
    pub passkey: Option<PasskeyProof>,
}

/// What is shown.
enum Shown {
    Password(Secret, Option<Secret>),
    Passkey(Secret, Assertion),
}

impl Shown {
    fn of(request: Request) -> Result<Self, Problem> {
        match request {
            Request { password: Some(password), code, passkey: None } => Ok(Self::Password(password, code)),
            Request { password: None, code: None, passkey: Some(proof) } => {
                Ok(Self::Passkey(proof.ceremony, Assertion::parse(&proof.credential)?))
            }
            _ => Err(fields::one_of("/password", "Send either the password or a passkey.")),
        }
    }
}

/// Proves again. The answer has an access token of the same session; its refresh token stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/auth/step-up",
    operation_id = "step_up",
    tag = "auth",
    summary = "Prove again who you are, for dangerous actions",
    request_body = Request,
    responses(
        (status = 200, description = "An access token for dangerous actions within ten minutes; no refresh token", body = Tokens),
        (status = 401, description = "session_ended, invalid_code, invalid_passkey"),
        (status = 403, description = "wrong_password"),
        (status = 409, description = "passkeys_unavailable"),
        (status = 422, description = "invalid_input"),
        (status = 429, description = "too_many_attempts"),
        (status = 503, description = "hashing_busy")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn step_up(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<TokensAnswer, Problem> {
    let (db, now, organization, user) =
        (&app.context.db, app.context.clock.now(), actor.organization, actor.user);
    let shown = Shown::of(request)?;
    let hash = match &shown {
        Shown::Password(password, _) => Some(proof::password(&app, &actor, password).await?),
        Shown::Passkey(..) => None,
    };
    let attempt = Attempt::by_code(user, actor.correlation.client.as_deref());
    let count = attempt.begin(db, now).await?;
    let proved = prove(&app, &actor, (&shown, hash.as_deref()), now).await;
    let bearer =
        proof::settle(&app, (&attempt, count), (organization, user), &actor.correlation, proved).await?;
    tokens(&app, bearer, None, now).await
}

/// Takes what is shown beside the password or in its place, and remembers the proof.
async fn prove(
    app: &App,
    actor: &Actor,
    (shown, hash): (&Shown, Option<&str>),
    now: Timestamp,
) -> Result<Bearer, Problem> {
    let (organization, user, session) = (actor.organization, actor.user, actor.session);
    let mut tx = app.context.db.begin(organization).await?;
    second_factor::hold_policy(&mut tx, organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::SessionOver)?;
    if let Some(hash) = hash {
        proof::demand_still(&mut tx, actor, hash).await?;
    }
    let has_second = second_factor(app, &mut tx, actor, shown, now).await?;
    let proved = session_starts::prove(&mut tx, organization, session, has_second, now).await?;
    let after = proved.ok_or(Error::SessionOver)?.tokens_from;
    let scope = second_factor::limit(&mut tx, organization, account.role, has_second).await?;
    tx.commit().await?;
    let proof = Some(Proof { at: now, second_factor: has_second });
    Ok(Bearer { organization, user, session, role: account.role, remit: account.remit, proof, scope, after })
}

/// Takes the second factor, where there is one; whether the proof is one of two factors.
async fn second_factor(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    shown: &Shown,
    now: Timestamp,
) -> Result<bool, Problem> {
    let owner = (actor.organization, actor.user);
    match shown {
        Shown::Passkey(ceremony, assertion) => {
            let purpose = Purpose::StepUp(actor.organization, actor.session);
            passkeys::take(app, tx, owner, purpose, ceremony.expose(), assertion, now).await?;
        }
        Shown::Password(_, code) => {
            if !second_factor::is_enabled(tx, owner.0, owner.1).await? {
                return Ok(false);
            }
            let code = code.as_ref().map_or("", Secret::expose);
            proof::code(app, tx, owner, code, &Origin::from(actor), now).await?;
        }
    }
    Ok(true)
}
