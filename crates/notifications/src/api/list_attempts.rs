//! `GET /api/v1/dead-letters/{id}/attempts`: every attempt at a delivery, whether it failed or not.

use axum::extract::State;
use jiff::Timestamp;
use kernel::DeliveryId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// Attempts shown at most; a round has a hundred at most, and few deliveries have two.
const MOST: i64 = 500;

/// An attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct Attempt {
    /// Its number, from 1; the same for two providers that were asked one after the other.
    #[schema(minimum = 1, example = 1)]
    pub number: i32,
    /// Which provider was asked: `smtp`, `second_smtp`, `outbox`; `none` when it ended before.
    #[schema(example = "smtp")]
    pub provider: String,
    /// When it began.
    pub attempted_at: Timestamp,
    /// How it ended: `sent`, `passing`, `permanent`, `no_such_address`, `away`, `unsure`.
    #[schema(example = "passing")]
    pub outcome: String,
    /// The provider's words, without the address.
    pub answer: String,
    /// How long the provider took, in milliseconds.
    #[schema(minimum = 0, example = 37)]
    pub latency_ms: i64,
    /// The mail's `Message-ID`.
    pub message_id: Option<String>,
}

/// The attempts at a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempts)]
pub struct Attempts {
    /// The attempts, oldest first.
    pub items: Vec<Attempt>,
}

/// Lists the attempts at a delivery, oldest first.
///
/// # Errors
/// When there is no such delivery.
#[utoipa::path(
    get,
    path = "/api/v1/dead-letters/{id}/attempts",
    operation_id = "list_attempts",
    tag = "notifications",
    summary = "List the attempts at a delivery, oldest first",
    params(("id" = DeliveryId, Path, description = "The delivery")),
    responses(
        (status = 200, description = "The attempts", body = Attempts),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_attempts(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<DeliveryId>,
) -> Result<Json<Attempts>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let exists = sqlx::query_scalar!(
        r#"select exists (select from notifications.delivery where organization_id = $1 and id = $2) as "exists!""#,
        actor.organization.0,
        id.0,
    );
    if !exists.fetch_one(&mut *tx).await? {
        return Err(Problem::not_found("delivery"));
    }
    let rows = sqlx::query!(
        "select number, provider, attempted_at, outcome, answer, latency_ms, message_id from notifications.attempt
         where organization_id = $1 and delivery_id = $2 order by number, provider limit $3",
        actor.organization.0,
        id.0,
        MOST,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Attempt {
        number: row.number,
        provider: row.provider,
        attempted_at: row.attempted_at.to_jiff(),
        outcome: row.outcome,
        answer: row.answer,
        latency_ms: row.latency_ms,
        message_id: row.message_id,
    });
    Ok(Json(Attempts { items: items.collect() }))
}
