//! `GET /api/v1/devices/web-push-key`: our public key, with which a browser subscribes.

use axum::extract::State;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// Our public key.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebPushKey {
    /// The `applicationServerKey` of a subscription: 65 bytes in base64url (RFC 8292).
    #[schema(min_length = 87, max_length = 87)]
    pub public_key: String,
}

/// Our public key.
///
/// # Errors
/// 404 when nothing is pushed to browsers here.
#[utoipa::path(
    get,
    path = "/api/v1/devices/web-push-key",
    operation_id = "get_web_push_key",
    tag = "notifications",
    summary = "The key with which a browser subscribes",
    responses((status = 200, description = "The key", body = WebPushKey), (status = 404, description = "not_found")),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn get_web_push_key(
    State(app): State<App>,
    _actor: Can<NotificationsOwn>,
) -> Result<Json<WebPushKey>, Problem> {
    let key = app.pushers.web_push_key().ok_or_else(|| Problem::not_found("key"))?;
    Ok(Json(WebPushKey { public_key: key.to_owned() }))
}
