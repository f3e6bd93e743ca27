//! `GET /api/v1/webhook-deliveries/{id}`: what was sent to a webhook, and what it answered each time.

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::NotificationsManage;
use kernel::{WebhookDeliveryId, WebhookId};
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// Attempts shown at most: a round has ten, and few deliveries have two.
const MOST: i64 = 200;

/// A request that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    /// Its number, from 1.
    #[schema(minimum = 1, example = 1)]
    pub number: i32,
    /// When it began.
    pub attempted_at: Timestamp,
    /// The answer's status; none when there was no answer.
    #[schema(example = 200)]
    pub status: Option<i32>,
    /// The first 4,096 bytes of the answer's body, or why there was no answer.
    pub answer: String,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, example = 120)]
    pub latency_ms: i64,
}

/// A delivery with all that was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveryDetails {
    /// The delivery.
    pub id: WebhookDeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event's type.
    pub r#type: String,
    /// Where it is: `queued`, `delivered`, `failed`.
    pub status: String,
    /// The JSON that was sent, as it was signed.
    pub body: String,
    /// The requests, oldest first.
    pub attempts: Vec<WebhookAttempt>,
}

/// A delivery with its body and every request.
///
/// # Errors
/// When there is no such delivery.
#[utoipa::path(
    get,
    path = "/api/v1/webhook-deliveries/{id}",
    operation_id = "get_webhook_delivery",
    tag = "webhooks",
    summary = "See what was sent to a webhook, and what it answered",
    params(("id" = WebhookDeliveryId, Path, description = "The delivery")),
    responses(
        (status = 200, description = "The delivery", body = WebhookDeliveryDetails),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn get_webhook_delivery(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookDeliveryId>,
) -> Result<Json<WebhookDeliveryDetails>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let found = sqlx::query!(
        r#"select webhook_id as "webhook_id: WebhookId", type as kind, state, body from notifications.webhook_delivery
           where organization_id = $1 and id = $2"#,
        actor.organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Problem::not_found("delivery"))?;
    let rows = sqlx::query!(
        "select number, attempted_at, status, answer, latency_ms from notifications.webhook_attempt
         where organization_id = $1 and delivery_id = $2 order by number limit $3",
        actor.organization.0,
        id.0,
        MOST,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let attempts = rows.into_iter().map(|row| WebhookAttempt {
        number: row.number,
        attempted_at: row.attempted_at.to_jiff(),
        status: row.status,
        answer: row.answer,
        latency_ms: row.latency_ms,
    });
    Ok(Json(WebhookDeliveryDetails {
        id,
        webhook_id: found.webhook_id,
        r#type: found.kind,
        status: found.state,
        body: found.body,
        attempts: attempts.collect(),
    }))
}
