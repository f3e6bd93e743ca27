//! `DELETE /api/v1/message-templates/{id}`: a message has our words again.

use axum::extract::State;
use http::StatusCode;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;
use crate::message::Kind;
use crate::templates::name::Name;
use crate::wording::Language;

/// Forgets the organization's templates of a message. To repeat it changes nothing.
///
/// # Errors
/// When there is no such template.
#[utoipa::path(
    delete,
    path = "/api/v1/message-templates/{id}",
    operation_id = "remove_message_template",
    tag = "message templates",
    summary = "Give a mail its original words back",
    params(("id" = String, Path, description = "The message and the language", example = "booking_confirmed.pt")),
    responses(
        (status = 204, description = "It has our words"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn remove_message_template(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let name: Name = id.parse()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    sqlx::query!(
        "delete from notifications.message_template where organization_id = $1 and kind = $2 and language = $3",
        actor.organization.0,
        name.kind as Kind,
        name.language as Language,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
