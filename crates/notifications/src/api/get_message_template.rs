//! `GET /api/v1/message-templates/{id}`: the templates that a message is made of.

use axum::extract::State;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};

use crate::App;
use crate::store::templates as stored;
use crate::templates::Forms;

/// The organization's templates of a message, or ours while it has none.
///
/// # Errors
/// When there is no such template.
#[utoipa::path(
    get,
    path = "/api/v1/message-templates/{id}",
    operation_id = "get_message_template",
    tag = "message templates",
    summary = "See what a mail is made of",
    params(("id" = String, Path, description = "The message and the language", example = "booking_confirmed.pt")),
    responses(
        (status = 200, description = "The templates", body = Forms),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn get_message_template(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<String>,
) -> Result<Json<Forms>, Problem> {
    let name = id.parse()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let own = stored::find(&mut tx, actor.organization, name).await?;
    tx.commit().await?;
    Ok(Json(own.unwrap_or_else(Forms::ours)))
}
