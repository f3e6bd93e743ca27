//! `GET /api/v1/suppressions`: the addresses that get no mail, as far as they are kept.

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::NotificationsManage;
use kernel::{SuppressionId, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::suppression::Reason;

/// An address that gets no mail. The address itself is not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suppression {
    /// The entry.
    pub id: SuppressionId,
    /// Why.
    pub reason: Reason,
    /// Whose mail was refused.
    pub user_id: Option<UserId>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Lists the addresses that get no mail, newest first.
///
/// # Errors
/// When the cursor is none of ours or the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/suppressions",
    operation_id = "list_suppressions",
    tag = "notifications",
    summary = "List the addresses that get no mail, newest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of entries", body = Page<Suppression>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_suppressions(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Suppression>>, Problem> {
    let before: Option<SuppressionId> = query.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id as "id: SuppressionId", reason as "reason: Reason", user_id as "user_id: UserId", created_at
           from notifications.suppression
           where organization_id = $1 and ($2::uuid is null or id < $2)
           order by id desc limit $3"#,
        actor.organization.0,
        before.map(|id| id.0),
        query.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Suppression {
        id: row.id,
        reason: row.reason,
        user_id: row.user_id,
        created_at: row.created_at.to_jiff(),
    });
    Ok(Json(Page::of(items.collect(), query.limit(), |item| item.id)))
}
