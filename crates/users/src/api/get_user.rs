//! `GET /api/v1/users/{id}`: one account of the organization.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::UserId;
use kernel::role::UsersRead;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::UserBody;
use crate::App;
use crate::store::accounts;

/// One account.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    operation_id = "get_user",
    tag = "users",
    summary = "Read an account",
    params(("id" = UserId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = UserBody),
        (status = 304, description = "Not changed since the version in If-None-Match"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("users.read")))
)]
pub async fn get_user(
    actor: Can<UsersRead>,
    State(app): State<App>,
    Path(id): Path<UserId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let account = accounts::load(&mut tx, actor.organization, id).await?;
    tx.commit().await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    Ok(ETag(account.version).answer(&headers, UserBody::from(account)))
}
