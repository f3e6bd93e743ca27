//! `POST /api/v1/dead-letters/replay`: what was given up in a stretch of time, as when a provider was away, is tried again.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;

/// Deliveries that one call queues at most.
const MOST: i64 = 1000;

/// Which deliveries.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayDeadLetters)]
pub struct Request {
    /// Given up from this moment on …
    #[garde(skip)]
    pub failed_from: Timestamp,
    /// … and before this one.
    #[garde(skip)]
    pub failed_until: Timestamp,
}

/// What was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// How many deliveries; 1,000 when there may be more.
    #[schema(minimum = 0, maximum = 1000)]
    pub count: u64,
}

/// Queues failed deliveries again, the oldest 1,000 at most: call it until it answers less.
///
/// # Errors
/// When the stretch of time is none, or the database fails.
#[utoipa::path(
    post,
    path = "/api/v1/dead-letters/replay",
    operation_id = "replay_dead_letters",
    tag = "notifications",
    summary = "Send again what could not be delivered in a stretch of time",
    request_body = Request,
    responses(
        (status = 200, description = "How many were queued", body = Replayed),
        (status = 403, description = "permission_required"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn replay_dead_letters(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Json(request): Json<Request>,
) -> Result<Json<Replayed>, Problem> {
    if request.failed_from >= request.failed_until {
        return Err(Problem::invalid_field("/failed_until", "range", "It must be after failed_from."));
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    let replayed = sqlx::query!(
        "with chosen as (
             select organization_id, id from notifications.delivery
             where organization_id = $1 and state = 'failed' and failed_at >= $2 and failed_at < $3
             order by id limit $5 for update skip locked
         )
         update notifications.delivery d
         set state = 'queued', due_at = $4, spent = attempts, error = null, failed_at = null
         from chosen where d.organization_id = chosen.organization_id and d.id = chosen.id",
        actor.organization.0,
        request.failed_from.to_sqlx(),
        request.failed_until.to_sqlx(),
        app.context.clock.now().to_sqlx(),
        MOST,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Json(Replayed { count: replayed.rows_affected() }))
}
