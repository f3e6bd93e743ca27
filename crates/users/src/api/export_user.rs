//! `POST /api/v1/users/{id}/export`: an archive of all that is held about a person, for the administrator whom they asked.

use axum::extract::State;
use kernel::UserId;
use kernel::role::UsersManage;
use platform::auth::{Can, Fresh};
use platform::http::{Path, Problem};

use crate::App;
use crate::store::archive::{Download, export};

/// Gathers what every service holds about a person.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/export",
    operation_id = "export_user",
    tag = "users",
    summary = "Download all that is held about a person",
    params(("id" = UserId, Path, description = "The account")),
    responses(
        (status = 200, description = "A ZIP archive with a JSON document for each service", body = Vec<u8>, content_type = "application/zip"),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "export_too_large: a service holds more than 16 MiB"),
        (status = 503, description = "exports_busy, service_unavailable: there is no half archive")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn export_user(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Path(id): Path<UserId>,
    _: Fresh,
) -> Result<Download, Problem> {
    export(&app, &actor, id).await
}
