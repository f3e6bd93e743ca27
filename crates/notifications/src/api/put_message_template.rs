//! `PUT /api/v1/message-templates/{id}`: an organization words a message anew.

use axum::extract::State;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};

use super::preview_message_template::refuse_mistakes;
use crate::App;
use crate::message::Kind;
use crate::templates::Forms;
use crate::templates::name::Name;
use crate::wording::Language;

/// Keeps the templates, when messages of every sort come out of them.
///
/// # Errors
/// When there is no such template, or these are wrong.
#[utoipa::path(
    put,
    path = "/api/v1/message-templates/{id}",
    operation_id = "put_message_template",
    tag = "message templates",
    summary = "Word a mail anew",
    params(("id" = String, Path, description = "The message and the language", example = "booking_confirmed.pt")),
    request_body = Forms,
    responses(
        (status = 200, description = "The templates", body = Forms),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input: `errors` says which template is wrong, and how")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn put_message_template(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<String>,
    Json(forms): Json<Forms>,
) -> Result<Json<Forms>, Problem> {
    let name: Name = id.parse()?;
    refuse_mistakes(&forms, name.kind)?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    sqlx::query!(
        "insert into notifications.message_template (organization_id, kind, language, subject, text, html, changed_by,
                                                     sms, push_title, push_body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (organization_id, kind, language) do update
         set subject = excluded.subject, text = excluded.text, html = excluded.html, changed_by = excluded.changed_by,
             sms = excluded.sms, push_title = excluded.push_title, push_body = excluded.push_body",
        actor.organization.0,
        name.kind as Kind,
        name.language as Language,
        forms.subject,
        forms.text,
        forms.html,
        actor.user.0,
        forms.sms,
        forms.push_title,
        forms.push_body,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Json(forms))
}
