//! `GET /api/v1/notification-preferences`: what the caller is told by which way, and when not.

use axum::extract::State;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::db::Tx;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::preferences::{Preference, QuietHours};
use crate::store::preferences as stored;

/// What the caller is told by which way, and when not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preferences {
    /// One for each way and each kind that can be chosen; mails about the account are always sent.
    pub items: Vec<Preference>,
    /// Hours without messages about bookings, unless one that begins within twelve hours was moved or cancelled.
    pub quiet_hours: Option<QuietHours>,
}

/// The caller's preferences.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notification-preferences",
    operation_id = "get_preferences",
    tag = "notifications",
    summary = "See what I am told by which way",
    responses((status = 200, description = "The caller's preferences", body = Preferences)),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn get_preferences(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
) -> Result<Json<Preferences>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let preferences = read(&mut tx, &actor).await?;
    tx.commit().await?;
    Ok(Json(preferences))
}

/// The caller's preferences.
///
/// # Errors
/// When the database fails.
pub async fn read(tx: &mut Tx, actor: &Can<NotificationsOwn>) -> Result<Preferences, Problem> {
    Ok(Preferences {
        items: stored::of(tx, actor.organization, actor.user).await?,
        quiet_hours: stored::quiet_hours(tx, actor.organization, actor.user).await?,
    })
}
