//! `POST /api/v1/webhooks/{id}/test`: an event that means nothing, to try an address.

use axum::extract::State;
use http::StatusCode;
use kernel::role::NotificationsManage;
use kernel::{WebhookDeliveryId, WebhookId};
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::store::webhook_queue::queue_test;
use crate::store::webhooks::find;

/// What was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestQueued {
    /// The delivery, by which to ask how it fared.
    pub delivery_id: WebhookDeliveryId,
}

/// Queues an event of the type `reservas.webhook.test.v1`.
///
/// # Errors
/// When there is no such webhook, or it is disabled.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/test",
    operation_id = "test_webhook",
    tag = "webhooks",
    summary = "Try a webhook",
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 202, description = "Queued", body = TestQueued),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "webhook_disabled")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn test_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
) -> Result<(StatusCode, Json<TestQueued>), Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    if !find(&mut tx, actor.organization, id).await?.is_enabled {
        return Err(Error::WebhookDisabled.into());
    }
    let delivery_id = queue_test(&mut tx, actor.organization, id, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(TestQueued { delivery_id })))
}
