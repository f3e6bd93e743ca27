//! `POST /api/v1/me/export`: an archive of all that is held about the caller.

use axum::extract::State;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::http::Problem;

use crate::App;
use crate::store::archive::{Download, export};

/// Gathers what every service holds about the caller.
#[utoipa::path(
    post,
    path = "/api/v1/me/export",
    operation_id = "export_me",
    tag = "profile",
    summary = "Download all that is held about oneself",
    responses(
        (status = 200, description = "A ZIP archive with a JSON document for each service", body = Vec<u8>, content_type = "application/zip"),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "export_too_large: a service holds more than 16 MiB"),
        (status = 503, description = "exports_busy, service_unavailable: there is no half archive")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn export_me(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
) -> Result<Download, Problem> {
    export(&app, &actor, actor.user).await
}
