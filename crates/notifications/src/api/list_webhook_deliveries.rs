//! `GET /api/v1/webhooks/{id}/deliveries`: what a webhook was told, newest first.

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::NotificationsManage;
use kernel::{EventId, WebhookDeliveryId, WebhookId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Path, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::store::webhooks::find;

/// An event's way to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// The delivery.
    pub id: WebhookDeliveryId,
    /// The event: `webhook-id`.
    pub event_id: EventId,
    /// Its type.
    #[schema(example = "reservas.booking.confirmed.v1")]
    pub r#type: String,
    /// Where it is: `queued`, `delivered`, `failed`.
    #[schema(example = "delivered")]
    pub status: String,
    /// Requests made.
    #[schema(minimum = 0, example = 1)]
    pub attempts: i32,
    /// When the next request is made.
    pub due_at: Option<Timestamp>,
    /// When it was taken or given up; it is forgotten 30 days later.
    pub ended_at: Option<Timestamp>,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// Lists what a webhook was told and is to be told, newest first.
///
/// # Errors
/// When there is no such webhook, or the cursor is none of ours.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/deliveries",
    operation_id = "list_webhook_deliveries",
    tag = "webhooks",
    summary = "List what a webhook was told, newest first",
    params(("id" = WebhookId, Path, description = "The webhook"), PageQuery),
    responses(
        (status = 200, description = "A page of deliveries", body = Page<WebhookDelivery>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_webhook_deliveries(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<WebhookDelivery>>, Problem> {
    let before: Option<WebhookDeliveryId> = query.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    find(&mut tx, actor.organization, id).await?;
    let rows = sqlx::query!(
        r#"select id as "id: WebhookDeliveryId", event_id as "event_id: EventId", type as kind, state, attempts, due_at,
                  ended_at, created_at
           from notifications.webhook_delivery
           where organization_id = $1 and webhook_id = $2 and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        actor.organization.0,
        id.0,
        before.map(|id| id.0),
        query.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| WebhookDelivery {
        id: row.id,
        event_id: row.event_id,
        r#type: row.kind,
        status: row.state,
        attempts: row.attempts,
        due_at: row.due_at.map(|at| at.to_jiff()),
        ended_at: row.ended_at.map(|at| at.to_jiff()),
        created_at: row.created_at.to_jiff(),
    });
    Ok(Json(Page::of(items.collect(), query.limit(), |item| item.id)))
}
