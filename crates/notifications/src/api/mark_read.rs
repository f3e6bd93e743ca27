//! `POST /api/v1/notifications/read`: the caller has seen their messages, up to one of them.

use axum::extract::State;
use garde::Validate;
use jiff_sqlx::ToSqlx as _;
use kernel::MessageId;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get_unread::{Unread, count};
use crate::App;

/// What was seen.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MarkRead)]
pub struct Request {
    /// The newest message that was seen; those before it were seen, too. What came later stays unread.
    #[garde(skip)]
    pub until: MessageId,
}

/// Marks the caller's messages as read. To repeat it changes nothing.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    post,
    path = "/api/v1/notifications/read",
    operation_id = "mark_read",
    tag = "notifications",
    summary = "Mark my notifications as read",
    request_body = Request,
    responses(
        (status = 200, description = "How many are unread still", body = Unread),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn mark_read(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Json(request): Json<Request>,
) -> Result<Json<Unread>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    sqlx::query!(
        "update notifications.message set read_at = $4
         where organization_id = $1 and user_id = $2 and id <= $3 and read_at is null",
        actor.organization.0,
        actor.user.0,
        request.until.0,
        app.context.clock.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let unread = count(&mut tx, &actor).await?;
    tx.commit().await?;
    Ok(Json(unread))
}
