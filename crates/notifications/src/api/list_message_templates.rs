//! `GET /api/v1/message-templates`: what mails look like, and which of them the organization has worded anew.

use axum::extract::State;
use jiff::Timestamp;
use kernel::UserId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::message::Kind;
use crate::templates::name::Name;
use crate::wording::Language;

/// A template of a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateSummary {
    /// Its name.
    #[schema(example = "booking_confirmed.pt")]
    pub id: String,
    /// The message.
    pub kind: Kind,
    /// The language.
    pub language: Language,
    /// Whether the organization has worded it anew.
    pub is_own: bool,
    /// Who did so last.
    pub changed_by: Option<UserId>,
    /// When.
    pub changed_at: Option<Timestamp>,
}

/// All templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// One for each message and language.
    pub items: Vec<TemplateSummary>,
}

/// Lists the templates, by message and language.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/message-templates",
    operation_id = "list_message_templates",
    tag = "message templates",
    summary = "List what mails look like",
    responses(
        (status = 200, description = "All templates", body = TemplateList),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn list_message_templates(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
) -> Result<Json<TemplateList>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let own = sqlx::query!(
        r#"select kind as "kind: Kind", language as "language: Language", changed_by, updated_at
           from notifications.message_template where organization_id = $1"#,
        actor.organization.0,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = Name::all().map(|name| {
        let row = own.iter().find(|row| row.kind == name.kind && row.language == name.language);
        TemplateSummary {
            id: name.to_string(),
            kind: name.kind,
            language: name.language,
            is_own: row.is_some(),
            changed_by: row.map(|row| UserId(row.changed_by)),
            changed_at: row.map(|row| row.updated_at.to_jiff()),
        }
    });
    Ok(Json(TemplateList { items: items.collect() }))
}
