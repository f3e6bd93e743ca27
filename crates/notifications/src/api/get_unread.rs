//! `GET /api/v1/notifications/unread`: how many messages the caller has not seen yet.

use axum::extract::State;
use kernel::role::NotificationsOwn;
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// Counted at most; who has more unread has enough.
const MOST: i64 = 1000;

/// What the caller has not seen yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unread {
    /// Messages, 1000 at most.
    #[schema(minimum = 0, maximum = 1000, example = 3)]
    pub count: i64,
}

/// Counts the caller's unread messages.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notifications/unread",
    operation_id = "get_unread",
    tag = "notifications",
    summary = "Count my unread notifications",
    responses((status = 200, description = "How many, 1000 at most", body = Unread)),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn get_unread(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
) -> Result<Json<Unread>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let unread = count(&mut tx, &actor).await?;
    tx.commit().await?;
    Ok(Json(unread))
}

/// Counts somebody's unread messages.
pub(super) async fn count(tx: &mut Tx, actor: &Actor) -> Result<Unread, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from notifications.message
               where organization_id = $1 and user_id = $2 and letter_id is null and read_at is null limit $3)
               unread"#,
        actor.organization.0,
        actor.user.0,
        MOST,
    );
    Ok(Unread { count: count.fetch_one(&mut **tx).await? })
}
