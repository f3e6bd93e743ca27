//! `POST /api/v1/auth/step-up`: the caller proves again who they are, for what demands a fresh proof.

use axum::extract::State;
use garde::Validate;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Tokens, TokensAnswer, fields, tokens};
use crate::App;
use crate::error::Error;
use crate::store::throttle::Attempt;
use crate::store::{accounts, passwords, second_factor, session_starts};
use crate::token::{Bearer, Proof};

/// The proofs.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepUp)]
pub struct Request {
    /// The caller's password.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// A code of the app or a recovery code, where the account has a second factor.
    #[garde(inner(custom(fields::code)))]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 32, example = "287082")]
    pub code: Option<Secret>,
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
        (status = 401, description = "session_ended, invalid_code"),
        (status = 403, description = "wrong_password"),
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
    let attempt = Attempt::by_id(user, actor.correlation.client.as_deref());
    attempt.begin(db, now).await?;
    let hash = passwords::load(db, organization, user).await?;
    if !app.passwords.verify(&request.password, hash).await? {
        return Err(Error::WrongPassword.into());
    }
    let mut tx = db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::SessionOver)?;
    let has_second = second_factor::is_enabled(&mut tx, organization, user).await?;
    if has_second {
        let code = request.code.as_ref().map_or("", Secret::expose);
        let origin = Origin::from(&*actor);
        let is_right = second_factor::take_code(&mut tx, &app.context.keyring, organization, user, code, now).await?
            || second_factor::take_recovery_code(&mut tx, organization, user, code, &origin, now).await?;
        if !is_right {
            return Err(Error::InvalidCode.into());
        }
    }
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
