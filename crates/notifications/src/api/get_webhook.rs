//! `GET /api/v1/webhooks/{id}`: one webhook.

use axum::extract::State;
use kernel::WebhookId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};

use crate::App;
use crate::store::webhooks::{Webhook, find};

/// One webhook.
///
/// # Errors
/// When there is none.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}",
    operation_id = "get_webhook",
    tag = "webhooks",
    summary = "See a webhook",
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook", body = Webhook),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn get_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
) -> Result<Json<Webhook>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let webhook = find(&mut tx, actor.organization, id).await?;
    tx.commit().await?;
    Ok(Json(webhook))
}
