//! `PUT /api/v1/notification-rules`: the organization says who is told what by which way, and what cannot be switched off.

use axum::extract::State;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};

use super::get_preference_rules::Rules;
use super::put_preferences::check_kinds;
use crate::App;
use crate::message::Kind;
use crate::preferences::Channel;
use crate::store::preferences as stored;

/// Lays the rules down, in place of those before.
///
/// # Errors
/// When a kind cannot be chosen, or the database fails.
#[utoipa::path(
    put,
    path = "/api/v1/notification-rules",
    operation_id = "put_preference_rules",
    tag = "notifications",
    summary = "Say who is told what by which way",
    request_body = Rules,
    responses(
        (status = 200, description = "The rules", body = Rules),
        (status = 403, description = "permission_required"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn put_preference_rules(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Json(rules): Json<Rules>,
) -> Result<Json<Rules>, Problem> {
    check_kinds(rules.items.iter().map(|rule| rule.kind))?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    sqlx::query!(
        "delete from notifications.preference_rule where organization_id = $1",
        actor.organization.0
    )
    .execute(&mut *tx)
    .await?;
    for rule in &rules.items {
        // The last of two rules for one kind and way holds.
        sqlx::query!(
            "insert into notifications.preference_rule (organization_id, kind, channel, is_wanted, is_fixed)
             values ($1, $2, $3, $4, $5)
             on conflict (organization_id, kind, channel) do update
             set is_wanted = excluded.is_wanted, is_fixed = excluded.is_fixed",
            actor.organization.0,
            rule.kind as Kind,
            rule.channel as Channel,
            rule.is_wanted,
            rule.is_fixed,
        )
        .execute(&mut *tx)
        .await?;
    }
    let items = stored::rules(&mut tx, actor.organization).await?;
    tx.commit().await?;
    Ok(Json(Rules { items }))
}
