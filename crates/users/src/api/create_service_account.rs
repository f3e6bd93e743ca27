//! `POST /api/v1/service-accounts`: an account for a program, which signs in with keys alone.

use axum::extract::State;
use garde::Validate;
use kernel::email::EmailError;
use kernel::role::UsersManage;
use kernel::{Email, Remit, Role, UserId};
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields, remit};
use crate::App;
use crate::account::Account;
use crate::store::{accounts, organizations};

/// What the account is for, and what it is to be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateServiceAccount)]
pub struct Request {
    /// What people call it: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Door displays")]
    pub name: String,
    /// What it is to be. Its keys can have less, never more.
    #[garde(skip)]
    pub role: Role,
    /// The places and people that it is to be limited to, as a manager's; absent for the whole organization.
    #[garde(inner(custom(fields::remit)))]
    pub remit: Option<Remit>,
}

/// Makes a service account. Its address is made up and leads nowhere (RFC 6761, section 6.4); it has no password, so that
/// nobody can sign in with it.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts",
    operation_id = "create_service_account",
    tag = "api keys",
    summary = "Make an account for a program",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "The account; make keys for it at /api/v1/api-keys", body = UserBody),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 409, description = "request_in_progress"),
        (status = 422, description = "invalid_input (managers_only, not_found: a group of the remit), idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn create_service_account(
    actor: Can<UsersManage>,
    State(app): State<App>,
    _: Fresh,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let organization = organizations::load(&mut tx, actor.organization).await?;
    let body = &request.body;
    remit::check(&mut tx, actor.organization, body.role, body.remit.as_ref()).await?;
    let address = format!("{}@service.invalid", UserId::mint()).parse();
    let address: Email = address.map_err(|error: EmailError| Problem::internal(&error))?;
    let account = Account {
        // It has no mailbox: the administrator vouches for it.
        email_verified: true,
        remit: body.remit.clone(),
        ..Account::new(&organization, address, body.name.clone(), body.role, now)
    };
    accounts::create_service(&mut tx, actor.organization, &account, &Origin::from(&*actor)).await?;
    let answer =
        Answer::created(&format!("/api/v1/users/{}", account.id), account.version, &UserBody::from(account))?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
