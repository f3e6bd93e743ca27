//! `DELETE /api/v1/devices/{id}`: nothing is told on a device any more.

use axum::extract::State;
use http::StatusCode;
use kernel::DeviceId;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::devices::remove;

/// Removes one of the caller's devices. What waits for it is given up.
///
/// # Errors
/// When the caller has no such device.
#[utoipa::path(
    delete,
    path = "/api/v1/devices/{id}",
    operation_id = "remove_device",
    tag = "notifications",
    summary = "Remove a device",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 204, description = "Removed"), (status = 404, description = "not_found")),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn remove_device(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Path(id): Path<DeviceId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    if !remove(&mut tx, actor.organization, actor.user, id).await? {
        return Err(Problem::not_found("device"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
