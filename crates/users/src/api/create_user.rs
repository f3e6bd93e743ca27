//! `POST /api/v1/users`: an administrator makes an account for someone.

use axum::extract::State;
use garde::Validate;
use kernel::role::UsersManage;
use kernel::{Email, Remit, Role};
use platform::auth::Can;
use platform::config::Secret;
use platform::events::Origin;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields, remit};
use crate::App;
use crate::account::{Account, Change};
use crate::giving;
use crate::settings::check_password;
use crate::store::{accounts, organizations, settings};

/// Whom the account is for, and what they are to be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUser)]
pub struct Request {
    /// Where mail goes, and the name to sign in with.
    #[garde(skip)]
    pub email: Email,
    /// How to address the person: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// At least 15 characters, unless the installation says otherwise; at most 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// What they are to be.
    #[garde(skip)]
    pub role: Role,
    /// The places and people that they are to be limited to, as managers; absent for the whole organization.
    #[garde(inner(custom(fields::remit)))]
    pub remit: Option<Remit>,
    /// Their language (BCP 47); the organization's when absent.
    #[garde(inner(custom(fields::locale)))]
    #[schema(min_length = 2, max_length = 35, example = "en-GB")]
    pub locale: Option<String>,
    /// Their zone (IANA); the organization's when absent.
    #[garde(inner(custom(fields::time_zone)))]
    #[schema(min_length = 1, max_length = 64, example = "Europe/London")]
    pub time_zone: Option<String>,
}

/// Makes an account.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    operation_id = "create_user",
    tag = "users",
    summary = "Make an account for someone",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "The account", body = UserBody),
        (status = 403, description = "permission_required; for a role above user: beyond_own_rights, step_up_required"),
        (status = 409, description = "email_taken, request_in_progress"),
        (status = 422, description = "invalid_input (managers_only, not_found: a group of the remit, password_too_short, password_guessable, password_common, password_weak), idempotency_key_reused"),
        (status = 503, description = "hashing_busy")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn create_user(
    actor: Can<UsersManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let body = &request.body;
    giving::check(&actor, &[body.role], app.context.clock.now())?;
    app.passwords.check("/password", &body.password, &body.email, &body.name).await?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    check_password(
        &settings::load(&mut tx, actor.organization).await?.settings,
        "/password",
        &body.password,
    )?;
    tx.commit().await?;
    // No connection is held meanwhile.
    let hash = app.passwords.hash(&body.password).await?;
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    remit::check(&mut tx, actor.organization, body.role, body.remit.as_ref()).await?;
    let organization = organizations::load(&mut tx, actor.organization).await?;
    let account = Account::new(&organization, body.email.clone(), body.name.clone(), body.role, now);
    let change = Change {
        locale: body.locale.clone(),
        time_zone: body.time_zone.clone(),
        remit: Some(body.remit.clone()),
        ..Change::default()
    };
    let (account, _) = account.changed(change);
    // Who makes the account vouches for the address.
    let account = Account { email_verified: true, ..account };
    let account =
        accounts::create(&mut tx, actor.organization, &account, &hash, &Origin::from(&*actor)).await?;
    let answer =
        Answer::created(&format!("/api/v1/users/{}", account.id), account.version, &UserBody::from(account))?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
