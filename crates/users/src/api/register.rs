//! `POST /api/v1/auth/register`: someone makes an account of their own.

use axum::extract::State;
use garde::Validate;
use kernel::{Email, Role};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::organization::DEFAULT_SLUG;
use crate::store::{accounts, organizations};

/// Who registers, and where.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Register)]
pub struct Request {
    /// Where mail goes, and the name to sign in with.
    #[garde(skip)]
    pub email: Email,
    /// At least 15 characters, unless the installation says otherwise; at most 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// How to address the person: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// The slug of the organization; `default` when absent.
    #[garde(length(chars, min = 1, max = 63))]
    #[schema(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
}

/// Registers.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    summary = "Make an account of one's own",
    request_body = Request,
    responses(
        (status = 201, description = "The account", body = UserBody),
        (status = 403, description = "registration_closed"),
        (status = 409, description = "email_taken"),
        (status = 422, description = "invalid_input (password_too_short, password_guessable, password_common, password_weak)"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn register(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let slug = request.organization.as_deref().unwrap_or(DEFAULT_SLUG);
    let found = organizations::find(&app.context.db, slug).await?;
    let organization = found.filter(|found| found.self_registration).ok_or(Error::RegistrationClosed)?.id;
    app.passwords.check("/password", &request.password, &request.email, &request.name)?;
    // No connection is held meanwhile.
    let hash = app.passwords.hash(&request.password).await?;
    let mut tx = app.context.db.begin(organization).await?;
    let defaults = organizations::load(&mut tx, organization).await?;
    let account = Account::new(&defaults, request.email, request.name, Role::User, app.context.clock.now());
    let origin = Origin { actor: Some(account.id), on_behalf_of: None, correlation };
    accounts::create(&mut tx, organization, &account, &hash, &origin).await?;
    tx.commit().await?;
    Answer::created(&format!("/api/v1/users/{}", account.id), account.version, &UserBody::from(account))
}
