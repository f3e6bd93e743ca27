//! `DELETE /api/v1/webhooks/{id}`: a webhook is told nothing more, and what was sent is forgotten.

use axum::extract::State;
use http::StatusCode;
use kernel::WebhookId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;

/// Removes a webhook with all its deliveries.
///
/// # Errors
/// When there is none.
#[utoipa::path(
    delete,
    path = "/api/v1/webhooks/{id}",
    operation_id = "remove_webhook",
    tag = "webhooks",
    summary = "Remove a webhook",
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn remove_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let removed = sqlx::query!(
        "delete from notifications.webhook where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
    )
    .execute(&mut *tx)
    .await?;
    if removed.rows_affected() == 0 {
        return Err(Problem::not_found("webhook"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
