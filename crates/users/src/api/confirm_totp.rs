//! `POST /api/v1/me/second-factor/totp/confirm`: a first code shows that the app has the secret.

use axum::extract::State;
use contracts::users::SecondFactorChange;
use garde::Validate;
use http::{HeaderName, HeaderValue, header};
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::error::Error;
use crate::store::second_factor::Totp;
use crate::store::throttle::Attempt;
use crate::store::{accounts, second_factor, session_starts};

/// The first code.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmTotp)]
pub struct Request {
    /// A code of the app.
    #[garde(custom(fields::code))]
    #[schema(value_type = String, min_length = 6, max_length = 32, example = "287082")]
    pub code: Secret,
}

/// Codes on paper, for when the app is lost. They are shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct Body {
    /// Each works once.
    #[schema(example = json!(["ABCD-EFGH-JKLM-NPQR"]))]
    pub recovery_codes: Vec<String>,
}

/// Codes that are shown once, never kept on the way.
pub(super) type CodesAnswer = ([(HeaderName, HeaderValue); 1], Json<Body>);

/// The answer with new codes.
pub(super) fn shown(recovery_codes: Vec<String>) -> CodesAnswer {
    let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ([never], Json(Body { recovery_codes }))
}

/// Confirms. From now on signing in takes a code; the caller's session counts as one with two factors.
#[utoipa::path(
    post,
    path = "/api/v1/me/second-factor/totp/confirm",
    operation_id = "confirm_totp",
    tag = "profile",
    summary = "Set up a second factor",
    request_body = Request,
    responses(
        (status = 200, description = "Recovery codes, shown this once; refresh for tokens that count as two factors", body = Body),
        (status = 401, description = "invalid_code"),
        (status = 403, description = "step_up_required"),
        (status = 409, description = "second_factor_enabled, no_second_factor"),
        (status = 422, description = "invalid_input"),
        (status = 429, description = "too_many_attempts")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn confirm_totp(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<CodesAnswer, Problem> {
    let (db, now, organization, user) =
        (&app.context.db, app.context.clock.now(), actor.organization, actor.user);
    let attempt = Attempt::by_id(user, actor.correlation.client.as_deref());
    attempt.begin(db, now).await?;
    let mut tx = db.begin(organization).await?;
    accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if second_factor::has_app(&mut tx, organization, user).await? {
        return Err(Error::SecondFactorEnabled.into());
    }
    let (code, keyring) = ((Totp::Begun, request.code.expose()), &app.context.keyring);
    if !second_factor::take_code(&mut tx, keyring, organization, user, code, now).await? {
        return Err(Error::InvalidCode.into());
    }
    let codes = second_factor::replace_recovery_codes(&mut tx, organization, user).await?;
    let proved = session_starts::prove(&mut tx, organization, actor.session, true, now).await?;
    proved.ok_or(Error::SessionOver)?;
    let (change, origin) = (SecondFactorChange::Enabled, Origin::from(&*actor));
    second_factor::tell(&mut tx, organization, user, change, &origin, now).await?;
    tx.commit().await?;
    attempt.succeeded(db).await?;
    Ok(shown(codes))
}
