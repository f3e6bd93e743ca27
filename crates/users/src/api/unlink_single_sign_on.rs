//! `DELETE /api/v1/users/{id}/single-sign-on`: an account is linked to nobody at an identity provider any more.

use axum::extract::State;
use http::StatusCode;
use kernel::UserId;
use kernel::role::UsersManage;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::{accounts, identities};

/// Takes the link away. Sessions go on; whoever comes back from the provider is looked for as if for the first time.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/single-sign-on",
    operation_id = "unlink_single_sign_on",
    tag = "users",
    summary = "Take an account's link to the identity provider away",
    params(("id" = UserId, Path, description = "The account")),
    responses(
        (status = 204, description = "Not linked any more"),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn unlink_single_sign_on(
    actor: Can<UsersManage>,
    State(app): State<App>,
    _: Fresh,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    let (organization, now) = (actor.organization, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    accounts::lock(&mut tx, organization, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    identities::unlink(&mut tx, organization, id, &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
