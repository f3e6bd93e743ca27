//! `POST /api/v1/message-templates/{id}/preview`: what would come out of templates, before they are kept.

use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::problem::FieldError;
use platform::http::{Json, Path, Problem};

use crate::message::Kind;
use crate::templates::name::Name;
use crate::templates::{Forms, Rendered, Values};

/// The message for a made-up booking.
///
/// # Errors
/// When there is no such template, or these are wrong.
#[utoipa::path(
    post,
    path = "/api/v1/message-templates/{id}/preview",
    operation_id = "preview_message_template",
    tag = "message templates",
    summary = "See what would come out of templates",
    params(("id" = String, Path, description = "The message and the language", example = "booking_confirmed.pt")),
    request_body = Forms,
    responses(
        (status = 200, description = "The message for a made-up booking", body = Rendered),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input: `errors` says which template is wrong, and how")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn preview_message_template(
    _: Can<NotificationsManage>,
    Path(id): Path<String>,
    Json(forms): Json<Forms>,
) -> Result<Json<Rendered>, Problem> {
    let name: Name = id.parse()?;
    refuse_mistakes(&forms, name.kind)?;
    let values = Values::sample(name.kind, name.language).map_err(|error| Problem::internal(&error))?;
    let rendered = forms.render(&values).map_err(|mistake| Problem::internal(&mistake.detail))?;
    Ok(Json(rendered))
}

/// 422 with what is wrong with templates.
///
/// # Errors
/// When anything is.
pub fn refuse_mistakes(forms: &Forms, kind: Kind) -> Result<(), Problem> {
    let mistakes = forms.mistakes(kind);
    if mistakes.is_empty() {
        return Ok(());
    }
    let errors = mistakes.into_iter().map(|mistake| FieldError {
        pointer: format!("/{}", mistake.field),
        code: "template".into(),
        detail: mistake.detail,
    });
    Err(Problem::invalid(errors.collect()))
}
