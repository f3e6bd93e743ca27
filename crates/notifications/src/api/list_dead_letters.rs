//! `GET /api/v1/dead-letters`: deliveries that were given up, newest first.

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::NotificationsManage;
use kernel::{DeliveryId, MessageId, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::delivery::Way;

/// A delivery that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The delivery.
    pub id: DeliveryId,
    /// What was to be told.
    pub message_id: MessageId,
    /// Whom; for a letter to somebody without an account, the letter's id.
    pub user_id: UserId,
    /// What it is about.
    #[schema(example = "booking_confirmed")]
    pub kind: String,
    /// By which way.
    pub channel: Way,
    /// Attempts begun.
    #[schema(minimum = 0, example = 16)]
    pub attempts: i32,
    /// Why it failed.
    #[schema(example = "permanent error (550): 5.1.1 no such mailbox")]
    pub error: Option<String>,
    /// When it was given up; none for what failed before this was kept.
    pub failed_at: Option<Timestamp>,
}

/// Lists what could not be delivered, newest first.
///
/// # Errors
/// When the cursor is none of ours or the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/dead-letters",
    operation_id = "list_dead_letters",
    tag = "notifications",
    summary = "List what could not be delivered, newest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of deliveries that were given up", body = Page<DeadLetter>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_dead_letters(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DeadLetter>>, Problem> {
    let before: Option<DeliveryId> = query.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select d.id as "id: DeliveryId", d.message_id as "message_id: MessageId", m.user_id as "user_id: UserId", m.kind,
                  d.channel as "channel: Way", d.attempts, d.error, d.failed_at
           from notifications.delivery d
           join notifications.message m on m.organization_id = d.organization_id and m.id = d.message_id
           where d.organization_id = $1 and d.state = 'failed' and ($2::uuid is null or d.id < $2)
           order by d.id desc limit $3"#,
        actor.organization.0,
        before.map(|id| id.0),
        query.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| DeadLetter {
        id: row.id,
        message_id: row.message_id,
        user_id: row.user_id,
        kind: row.kind,
        channel: row.channel,
        attempts: row.attempts,
        error: row.error,
        failed_at: row.failed_at.map(|at| at.to_jiff()),
    });
    Ok(Json(Page::of(items.collect(), query.limit(), |item| item.id)))
}
