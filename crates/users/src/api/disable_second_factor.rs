//! `POST /api/v1/me/second-factor/disable`: signing in takes the password alone from now on.

use axum::extract::State;
use contracts::users::SecondFactorChange;
use garde::Validate;
use http::StatusCode;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{fields, proof};
use crate::App;
use crate::error::Error;
use crate::store::{accounts, second_factor, session_starts};

/// The password, which has to do without a second factor from now on.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DisableSecondFactor)]
pub struct Request {
    /// The caller's password; as long as one that stands alone has to be.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub current_password: Secret,
}

/// Disables the second factor: app, passkeys and recovery codes.
#[utoipa::path(
    post,
    path = "/api/v1/me/second-factor/disable",
    operation_id = "disable_second_factor",
    tag = "profile",
    summary = "Disable one's second factor",
    request_body = Request,
    responses(
        (status = 204, description = "Disabled; app, passkeys and recovery codes are worth nothing any more, and no session counts as one with two factors: refresh"),
        (status = 403, description = "step_up_required, wrong_password"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "no_second_factor, second_factor_demanded"),
        (status = 422, description = "invalid_input (password_too_short: choose a longer one first)"),
        (status = 429, description = "too_many_attempts"),
        (status = 503, description = "hashing_busy")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn disable_second_factor(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let (db, now, organization, user) =
        (&app.context.db, app.context.clock.now(), actor.organization, actor.user);
    let hash = proof::password(&app, &actor, &request.current_password).await?;
    let mut tx = db.begin(organization).await?;
    let account = accounts::load(&mut tx, organization, user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    tx.commit().await?;
    let (email, name) = (&account.email, &account.name);
    app.passwords.check("/current_password", &request.current_password, email, name).await?;
    let mut tx = db.begin(organization).await?;
    second_factor::hold_policy(&mut tx, organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    proof::demand_still(&mut tx, &actor, &hash).await?;
    if second_factor::limit(&mut tx, organization, account.role, false).await?.is_some() {
        return Err(Error::SecondFactorDemanded.into());
    }
    if !second_factor::remove(&mut tx, organization, user).await? {
        return Err(Error::NoSecondFactor.into());
    }
    session_starts::forget_second_factor(&mut tx, organization, user, &*app.context.clock).await?;
    let (change, origin) = (SecondFactorChange::Disabled, Origin::from(&*actor));
    second_factor::tell(&mut tx, organization, user, change, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
