//! `GET /api/v1/devices`: the caller's telephones and browsers.

use axum::extract::State;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::store::devices::{Device, list};

/// The caller's devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// Twenty at most, the newest last.
    pub items: Vec<Device>,
}

/// The caller's devices. What a provider calls gone is not among them any more.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/devices",
    operation_id = "list_devices",
    tag = "notifications",
    summary = "List my devices",
    responses((status = 200, description = "The caller's devices", body = Devices)),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn list_devices(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
) -> Result<Json<Devices>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let items = list(&mut tx, actor.organization, actor.user).await?;
    tx.commit().await?;
    Ok(Json(Devices { items }))
}
