//! `GET /api/v1/notification-phone`: where short messages to the caller go.

use axum::extract::State;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};

use crate::App;
use crate::store::phones::{Phone, find};

/// The caller's number.
///
/// # Errors
/// When they have none.
#[utoipa::path(
    get,
    path = "/api/v1/notification-phone",
    operation_id = "get_phone",
    tag = "notifications",
    summary = "Where short messages to me go",
    responses((status = 200, description = "The number", body = Phone), (status = 404, description = "not_found")),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn get_phone(State(app): State<App>, actor: Can<NotificationsOwn>) -> Result<Json<Phone>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let phone = find(&mut tx, (actor.organization, actor.user)).await?;
    tx.commit().await?;
    phone.map(Json).ok_or_else(|| Problem::not_found("number"))
}
