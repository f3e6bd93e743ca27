//! `POST /api/v1/me/password`: another password for the caller, known to nobody who has the old one.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use kernel::role::ProfileOwn;
use platform::auth::{Actor, Can};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{fields, proof};
use crate::App;
use crate::error::Error;
use crate::settings::check_password;
use crate::store::sessions::Which;
use crate::store::{accounts, passwords, second_factor, settings};

/// The old password and the new one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangePassword)]
pub struct Request {
    /// The password so far.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub current_password: Secret,
    /// The password from now on: at least 15 characters, unless the installation says otherwise; at most 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "staple battery horse correct")]
    pub new_password: Secret,
}

/// Changes the password and ends the caller's other sessions.
#[utoipa::path(
    post,
    path = "/api/v1/me/password",
    operation_id = "change_password",
    tag = "profile",
    summary = "Change one's password",
    request_body = Request,
    responses(
        (status = 204, description = "Changed; all other sessions are over"),
        (status = 403, description = "wrong_password"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 422, description = "invalid_input (password_too_short, password_guessable, password_common, password_weak)"),
        (status = 429, description = "too_many_attempts"),
        (status = 503, description = "hashing_busy")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn change_password(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let (db, now) = (&app.context.db, app.context.clock.now());
    let before = proof::password(&app, &actor, &request.current_password).await?;
    let mut tx = db.begin(actor.organization).await?;
    let account = accounts::load(&mut tx, actor.organization, actor.user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    let has_second = second_factor::is_enabled(&mut tx, actor.organization, actor.user).await?;
    let settings = settings::load(&mut tx, actor.organization).await?.settings;
    tx.commit().await?;
    // No connection is held meanwhile.
    let weighed = app.passwords.weigh(&request.new_password, &account.email, &account.name).await?;
    app.passwords.demand(has_second, "/new_password", &weighed)?;
    check_password(&settings, "/new_password", &request.new_password)?;
    let hash = app.passwords.hash(&request.new_password).await?;
    let mut tx = db.begin(actor.organization).await?;
    let account = accounts::lock(&mut tx, actor.organization, actor.user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    let has_second = second_factor::is_enabled(&mut tx, actor.organization, actor.user).await?;
    // Anew: the second factor may be gone by now.
    app.passwords.demand(has_second, "/new_password", &weighed)?;
    replace(&mut tx, &actor, &before, &hash).await?;
    let (origin, others) = (Origin::from(&*actor), Which::AllBut(actor.session));
    passwords::tell(&mut tx, actor.organization, &account, others, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Of two changes at once the second one's proof is out of date.
async fn replace(tx: &mut Tx, actor: &Actor, before: &str, hash: &str) -> Result<(), Problem> {
    let replaced = sqlx::query!(
        "update users.password set hash = $4 where organization_id = $1 and user_id = $2 and hash = $3",
        actor.organization.0,
        actor.user.0,
        before,
        hash,
    )
    .execute(&mut **tx)
    .await?;
    if replaced.rows_affected() == 0 { Err(Error::WrongPassword.into()) } else { Ok(()) }
}
