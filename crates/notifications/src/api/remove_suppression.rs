//! `DELETE /api/v1/suppressions/{id}`: an address gets mail again.

use axum::extract::State;
use http::StatusCode;
use kernel::SuppressionId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;

/// Takes an address off the list of those that get no mail.
///
/// # Errors
/// When there is no such entry.
#[utoipa::path(
    delete,
    path = "/api/v1/suppressions/{id}",
    operation_id = "remove_suppression",
    tag = "notifications",
    summary = "Send mail to an address again",
    params(("id" = SuppressionId, Path, description = "The entry")),
    responses(
        (status = 204, description = "Off the list"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn remove_suppression(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<SuppressionId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let removed = sqlx::query!(
        "delete from notifications.suppression where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
    )
    .execute(&mut *tx)
    .await?;
    if removed.rows_affected() == 0 {
        return Err(Problem::not_found("suppression"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
