//! `POST /api/v1/dead-letters/{id}/replay`: a delivery that was given up is tried again.

use axum::extract::State;
use http::StatusCode;
use jiff_sqlx::ToSqlx as _;
use kernel::DeliveryId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;
use crate::error::Error;

/// Queues a failed delivery again, with as many attempts as a new one. Its `Message-ID` stays the same.
///
/// # Errors
/// When there is no such delivery, or it has not failed.
#[utoipa::path(
    post,
    path = "/api/v1/dead-letters/{id}/replay",
    operation_id = "replay_dead_letter",
    tag = "notifications",
    summary = "Send again what could not be delivered",
    params(("id" = DeliveryId, Path, description = "The delivery")),
    responses(
        (status = 204, description = "Queued"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "not_failed")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn replay_dead_letter(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<DeliveryId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let replayed = sqlx::query!(
        "update notifications.delivery
         set state = 'queued', due_at = $3, spent = attempts, error = null, failed_at = null
         where organization_id = $1 and id = $2 and state = 'failed'",
        actor.organization.0,
        id.0,
        app.context.clock.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    if replayed.rows_affected() == 0 {
        let exists = sqlx::query_scalar!(
            r#"select exists (select from notifications.delivery where organization_id = $1 and id = $2) as "exists!""#,
            actor.organization.0,
            id.0,
        );
        let exists = exists.fetch_one(&mut *tx).await?;
        return Err(if exists { Error::NotFailed.into() } else { Problem::not_found("delivery") });
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
