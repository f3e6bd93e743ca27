//! `DELETE /api/v1/users/{id}`: an account is removed, and with it what is known of the person.

use axum::extract::State;
use http::StatusCode;
use kernel::UserId;
use kernel::role::UsersManage;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::{IfMatch, Path, Problem};

use crate::App;
use crate::store::{accounts, erasure};

/// Removes an account.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    operation_id = "delete_user",
    tag = "users",
    summary = "Remove an account and its personal data",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the version to remove")
    ),
    responses(
        (status = 204, description = "Removed; its sessions are over"),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_administrator"),
        (status = 412, description = "stale_version"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn delete_user(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Path(id): Path<UserId>,
    _: Fresh,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let account =
        accounts::lock(&mut tx, organization, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    version.check(account.version)?;
    erasure::erase(&mut tx, organization, &account, &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
