//! `POST /api/v1/auth/reset-password`: sets a new password with the token of a mail.

use axum::extract::State;
use contracts::users::PasswordReset;
use garde::Validate;
use http::StatusCode;
use platform::config::Secret;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::error::Error;
use crate::opaque_token::ResetToken;
use crate::settings::check_password;
use crate::store::sessions::Which;
use crate::store::throttle::Attempt;
use crate::store::{accounts, passwords, second_factor, settings};

/// The token of the mail, and the password from now on.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResetPassword)]
pub struct Request {
    /// The token of the mail's link.
    #[garde(custom(fields::opaque_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub token: Secret,
    /// At least 15 characters, or 8 where the account has a second factor, unless the installation says otherwise; at most
    /// 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "staple battery horse correct")]
    pub new_password: Secret,
}

/// Sets the password, ends every session and lifts a lock. A second factor stays: the mail alone opens nothing.
#[utoipa::path(
    post,
    path = "/api/v1/auth/reset-password",
    operation_id = "reset_password",
    tag = "auth",
    summary = "Set a new password with the token of a mail",
    request_body = Request,
    responses(
        (status = 204, description = "Set; sign in with it"),
        (status = 403, description = "invalid_reset"),
        (status = 422, description = "invalid_input (password_too_short, password_guessable, password_common, password_weak)"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn reset_password(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let (db, now) = (&app.context.db, app.context.clock.now());
    let token = ResetToken::parse(&request.token).ok_or(Error::InvalidReset)?;
    let organization = token.organization;
    // Looked at before the costly part, which is not for those without a token; and again after it.
    let mut tx = db.begin(organization).await?;
    let user = passwords::find_reset(&mut tx, &token, now).await?.ok_or(Error::InvalidReset)?;
    let account = accounts::load(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::InvalidReset)?;
    let has_second = second_factor::is_enabled(&mut tx, organization, user).await?;
    let settings = settings::load(&mut tx, organization).await?.settings;
    tx.commit().await?;
    let (email, name) = (&account.email, &account.name);
    app.passwords.check_beside(has_second, "/new_password", &request.new_password, email, name).await?;
    check_password(&settings, "/new_password", &request.new_password)?;
    let hash = app.passwords.hash(&request.new_password).await?;
    let mut tx = db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or(Error::InvalidReset)?;
    passwords::find_reset(&mut tx, &token, now).await?.ok_or(Error::InvalidReset)?;
    passwords::set(&mut tx, organization, user, &hash, now).await?;
    let origin = Origin { actor: None, on_behalf_of: None, correlation };
    events::append(&mut tx, organization, &origin, &PasswordReset { user_id: user }, now).await?;
    passwords::tell(&mut tx, organization, &account, Which::All, &origin, now).await?;
    Attempt::by_name(&organization.to_string(), account.email.as_str(), None).forget(&mut tx).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
