//! `POST /api/v1/auth/resend-verification`: another mail to verify an address, for who did not get the first.

use axum::extract::State;
use contracts::users::LetterKind;
use garde::Validate;
use http::StatusCode;
use jiff::Timestamp;
use kernel::{Email, UserId};
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::naming::Naming;
use crate::store::letters::{self, Addressee, Kept};
use crate::store::{accounts, organizations};

/// Whose address, and where.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResendVerification)]
pub struct Request {
    /// The address.
    #[garde(skip)]
    pub email: Email,
    /// The slug of the organization, as for the sign-in.
    #[garde(length(chars, min = 1, max = 63))]
    #[schema(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
}

/// Takes the wish. The answer comes before anything is looked up: neither it nor its time shows who waits to be verified.
#[utoipa::path(
    post,
    path = "/api/v1/auth/resend-verification",
    operation_id = "resend_verification",
    tag = "auth",
    summary = "Have the mail sent again that verifies an address",
    request_body = Request,
    responses(
        (status = 204, description = "Sent, where the address waits to be verified and no mail went out in the last five minutes"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "mails_busy")
    )
)]
pub async fn resend_verification(
    State(app): State<App>,
    correlation: Correlation,
    naming: Naming,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let (aside, now) = (app.aside.clone(), app.context.clock.now());
    aside.start("another mail to verify an address", async move {
        ask(&app, correlation, &naming, &request, now).await
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks whether the address, at the time it was asked for, waits for another mail.
async fn ask(
    app: &App,
    correlation: Correlation,
    naming: &Naming,
    request: &Request,
    now: Timestamp,
) -> Result<(), Problem> {
    let found = organizations::find(&app.context.db, request.organization.as_deref(), naming).await?;
    let Some(found) = found else { return Ok(()) };
    let mut tx = app.context.db.begin(found.id).await?;
    let user = sqlx::query_scalar!(
        r#"select id as "id: UserId" from users.account
           where organization_id = $1 and email = $2 and removed_at is null and active and not email_verified"#,
        found.id.0,
        request.email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(user) = user {
        accounts::lock(&mut tx, found.id, user).await?;
        let kept = Kept { to: Addressee::Account(user), kind: LetterKind::EmailVerification, email: None };
        let origin = Origin { actor: None, on_behalf_of: None, correlation };
        letters::request(&mut tx, found.id, kept, &origin, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
