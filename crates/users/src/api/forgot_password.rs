//! `POST /api/v1/auth/forgot-password`: a mail with a link that sets a new password.

use axum::extract::State;
use contracts::users::PasswordResetRequested;
use garde::Validate;
use http::StatusCode;
use jiff::SignedDuration;
use kernel::{Email, UserId};
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::naming::Naming;
use crate::store::{organizations, passwords};

/// Whose password is lost.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgotPassword)]
pub struct Request {
    /// The account's address.
    #[garde(skip)]
    pub email: Email,
    /// The slug of the organization, as for the sign-in.
    #[garde(length(chars, min = 1, max = 63))]
    #[schema(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
}

/// Takes the wish. The answer comes before anything is looked up: neither it nor its time shows whether there is an account.
#[utoipa::path(
    post,
    path = "/api/v1/auth/forgot-password",
    operation_id = "forgot_password",
    tag = "auth",
    summary = "Ask for a mail that sets a new password",
    request_body = Request,
    responses(
        (status = 202, description = "If there is such an account, its owner gets a mail; at most three an hour"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "mails_busy")
    )
)]
pub async fn forgot_password(
    State(app): State<App>,
    correlation: Correlation,
    naming: Naming,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let aside = app.aside.clone();
    aside.start("a password reset", async move { ask(&app, &correlation, &naming, &request).await })?;
    Ok(StatusCode::ACCEPTED)
}

async fn ask(
    app: &App,
    correlation: &Correlation,
    naming: &Naming,
    request: &Request,
) -> Result<(), Problem> {
    let found = organizations::find(&app.context.db, request.organization.as_deref(), naming).await?;
    let Some(organization) = found.map(|found| found.id) else { return Ok(()) };
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(organization).await?;
    // Locked, so that wishes at once are counted one after the other. A service account has no one to write to.
    let user = sqlx::query_scalar!(
        r#"select id as "id: UserId" from users.account
           where organization_id = $1 and email = $2 and active and removed_at is null and not service
           for no key update"#,
        organization.0,
        request.email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(user_id) = user else { return Ok(()) };
    let expires_at = now + SignedDuration::from_mins(i64::from(app.config.password_reset_minutes));
    if let Some(reset_id) = passwords::ask_reset(&mut tx, organization, user_id, now, expires_at).await? {
        let origin = Origin { actor: None, on_behalf_of: None, correlation: correlation.clone() };
        let event = PasswordResetRequested { user_id, reset_id };
        events::append(&mut tx, organization, &origin, &event, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
