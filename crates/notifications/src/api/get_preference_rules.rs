//! `GET /api/v1/notification-rules`: what the organization says of who is told what by which way.

use axum::extract::State;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::preferences::Rule;
use crate::store::preferences as stored;

/// The organization's rules.
#[derive(Debug, Serialize, Deserialize, garde::Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreferenceRules)]
pub struct Rules {
    /// One for each way and kind that has a rule; the others are sent, and everybody may choose.
    #[garde(length(max = 100))]
    pub items: Vec<Rule>,
}

/// The organization's rules.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notification-rules",
    operation_id = "get_preference_rules",
    tag = "notifications",
    summary = "See what the organization says of who is told what",
    responses(
        (status = 200, description = "The rules", body = Rules),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn get_preference_rules(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
) -> Result<Json<Rules>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let items = stored::rules(&mut tx, actor.organization).await?;
    tx.commit().await?;
    Ok(Json(Rules { items }))
}
