//! `DELETE /api/v1/notification-phone`: no short messages go to the caller any more.

use axum::extract::State;
use http::StatusCode;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::Problem;

use crate::App;
use crate::store::phones::remove;

/// Forgets the caller's number. What waits for it is given up.
///
/// # Errors
/// When they have none.
#[utoipa::path(
    delete,
    path = "/api/v1/notification-phone",
    operation_id = "remove_phone",
    tag = "notifications",
    summary = "Send me no short messages",
    responses((status = 204, description = "Done"), (status = 404, description = "not_found")),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn remove_phone(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    if !remove(&mut tx, (actor.organization, actor.user)).await? {
        return Err(Problem::not_found("number"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
