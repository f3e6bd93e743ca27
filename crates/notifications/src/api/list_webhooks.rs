//! `GET /api/v1/webhooks`: who else is told what happens.

use axum::extract::State;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::store::webhooks::{Webhook, list};

/// The webhooks of an organization: 50 at most.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// The webhooks, oldest first.
    pub items: Vec<Webhook>,
}

/// Lists the webhooks, oldest first.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    operation_id = "list_webhooks",
    tag = "webhooks",
    summary = "List webhooks, oldest first",
    responses(
        (status = 200, description = "All webhooks", body = WebhookList),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_webhooks(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
) -> Result<Json<WebhookList>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let items = list(&mut tx, actor.organization, None).await?;
    tx.commit().await?;
    Ok(Json(WebhookList { items }))
}
