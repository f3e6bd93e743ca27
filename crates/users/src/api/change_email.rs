//! `POST /api/v1/me/email`: another address for the caller, once its owner has confirmed it.

use axum::extract::State;
use contracts::users::LetterKind;
use garde::Validate;
use http::StatusCode;
use kernel::Email;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{fields, proof};
use crate::App;
use crate::settings::admits;
use crate::store::letters::{self, Addressee, Kept};
use crate::store::{accounts, settings};

/// The new address, and the password, so that an open session alone does not give an account away.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeEmail)]
pub struct Request {
    /// The address from its confirmation on.
    #[garde(skip)]
    pub email: Email,
    /// The account's password.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub current_password: Secret,
}

/// Mails a link to the new address. Whether somebody else has it shows to its owner alone, when they follow the link.
#[utoipa::path(
    post,
    path = "/api/v1/me/email",
    operation_id = "change_email",
    tag = "profile",
    summary = "Ask for another e-mail address",
    request_body = Request,
    responses(
        (status = 204, description = "A link was mailed to the new address, and a notice to the old one; until the link is followed, nothing changes"),
        (status = 403, description = "wrong_password"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 422, description = "invalid_input (domain_not_admitted)"),
        (status = 429, description = "too_many_attempts"),
        (status = 503, description = "hashing_busy")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn change_email(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let (db, organization, now) = (&app.context.db, actor.organization, app.context.clock.now());
    let hash = proof::password(&app, &actor, &request.current_password).await?;
    let mut tx = db.begin(organization).await?;
    let settings = settings::load(&mut tx, organization).await?.settings;
    tx.commit().await?;
    if !admits(&settings.email_domains, &request.email) {
        let detail = "The organization admits addresses of other domains only.";
        return Err(Problem::invalid_field("/email", "domain_not_admitted", detail));
    }
    let mut tx = db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, actor.user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    proof::demand_still(&mut tx, &actor, &hash).await?;
    // A later wish replaces an earlier one.
    letters::forget(&mut tx, organization, actor.user, LetterKind::EmailChange).await?;
    let to = Addressee::Account(actor.user);
    let kept = Kept { to, kind: LetterKind::EmailChange, email: Some(request.email) };
    let origin = Origin::from(&*actor);
    letters::request(&mut tx, organization, kept, &origin, now).await?;
    // The owner hears of it where they read now, also when the mail is written after the change.
    let kept = Kept { to, kind: LetterKind::EmailChangeAsked, email: Some(account.email) };
    letters::request(&mut tx, organization, kept, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
