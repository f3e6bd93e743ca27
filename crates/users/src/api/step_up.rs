//! `POST /api/v1/auth/step-up`: the caller proves again who they are, for what demands a fresh proof.

use axum::extract::State;
use garde::Validate;
use kernel::role::ProfileOwn;
use platform::auth::{Actor, Can};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::passkey_login::PasskeyProof;
use super::{Tokens, TokensAnswer, fields, tokens};
use crate::App;
use crate::error::Error;
use crate::passkey::{Assertion, Purpose};
use crate::store::throttle::Attempt;
use crate::store::{accounts, passkeys, passwords, second_factor, session_starts};
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
    let attempt = Attempt::by_id(user, actor.correlation.client.as_deref());
    attempt.begin(db, now).await?;
    if let Shown::Password(password, _) = &shown {
        let hash = passwords::load(db, organization, user).await?;
        if !app.passwords.verify(password, hash).await? {
            return Err(Error::WrongPassword.into());
        }
    }
    let mut tx = db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::SessionOver)?;
    let has_second = second_factor(&app, &mut tx, &actor, &shown).await?;
    if !session_starts::prove(&mut tx, organization, actor.session, has_second, now).await? {
        return Err(Error::SessionOver.into());
    }
    let scope = second_factor::limit(&mut tx, organization, account.role, has_second).await?;
    tx.commit().await?;
    attempt.succeeded(db).await?;
    let proof = Some(Proof { at: now, second_factor: has_second });
    let (session, role) = (actor.session, account.role);
    tokens(&app, Bearer { organization, user, session, role, proof, scope, after: Some(now) }, None).await
}

/// Takes what is shown beside the password, or in its place; whether that makes two factors.
async fn second_factor(app: &App, tx: &mut Tx, actor: &Actor, shown: &Shown) -> Result<bool, Problem> {
    let (organization, user, now) = (actor.organization, actor.user, app.context.clock.now());
    let code = match shown {
        Shown::Passkey(ceremony, assertion) => {
            let (owner, purpose) = ((organization, user), Purpose::StepUp(organization, actor.session));
            passkeys::take(app, tx, owner, purpose, ceremony.expose(), assertion, now).await?;
            return Ok(true);
        }
        Shown::Password(_, code) => code.as_ref().map_or("", Secret::expose),
    };
    if !second_factor::is_enabled(tx, organization, user).await? {
        return Ok(false);
    }
    let (keyring, origin) = (&app.context.keyring, Origin::from(actor));
    let is_right = second_factor::take_code(tx, keyring, organization, user, code, now).await?
        || second_factor::take_recovery_code(tx, organization, user, code, &origin, now).await?;
    if is_right { Ok(true) } else { Err(Error::InvalidCode.into()) }
}
