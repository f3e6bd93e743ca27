//! `POST /api/v1/webhook-deliveries/{id}/redeliver`: a webhook is told an event once more.

use axum::extract::State;
use http::StatusCode;
use jiff_sqlx::ToSqlx as _;
use kernel::WebhookDeliveryId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;
use crate::error::Error;

/// Queues a delivery that was taken or given up again, with the same `webhook-id` and as many attempts as a new one.
///
/// # Errors
/// When there is none, it waits still, or its webhook is disabled.
#[utoipa::path(
    post,
    path = "/api/v1/webhook-deliveries/{id}/redeliver",
    operation_id = "redeliver_webhook",
    tag = "webhooks",
    summary = "Tell a webhook an event once more",
    params(("id" = WebhookDeliveryId, Path, description = "The delivery")),
    responses(
        (status = 202, description = "Queued"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "webhook_disabled, delivery_waits")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn redeliver_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookDeliveryId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    // The webhook's row, so that it is not disabled at the same moment.
    let is_enabled = sqlx::query_scalar!(
        "select w.is_enabled from notifications.webhook w
         join notifications.webhook_delivery d on d.organization_id = w.organization_id and d.webhook_id = w.id
         where d.organization_id = $1 and d.id = $2 for share of w",
        actor.organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Problem::not_found("delivery"))?;
    if !is_enabled {
        return Err(Error::WebhookDisabled.into());
    }
    let queued = sqlx::query!(
        "update notifications.webhook_delivery set state = 'queued', due_at = $3, ended_at = null, spent = attempts
         where organization_id = $1 and id = $2 and state <> 'queued'",
        actor.organization.0,
        id.0,
        app.context.clock.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    if queued.rows_affected() == 0 {
        return Err(Error::DeliveryWaits.into());
    }
    tx.commit().await?;
    Ok(StatusCode::ACCEPTED)
}
