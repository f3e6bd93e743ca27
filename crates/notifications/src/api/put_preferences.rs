//! `PUT /api/v1/notification-preferences`: the caller says what they want to be told by which way, and when not.

use axum::extract::State;
use garde::Validate;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get_preferences::{Preferences, read};
use crate::App;
use crate::message::Kind;
use crate::preferences::{self, Channel, QuietHours};
use crate::store::erasure::is_forgotten;
use crate::store::preferences as stored;
use crate::templates::KINDS;

/// What is wanted of a kind.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Of what: `booking_confirmed`, `booking_moved`, `booking_cancelled`.
    pub kind: Kind,
    /// By which way; by mail when it is absent.
    #[serde(default)]
    pub channel: Channel,
    /// Whether they are told.
    pub is_wanted: bool,
}

/// What the caller wants.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutPreferences)]
pub struct Request {
    /// Choices; kinds that are absent stay as they are.
    #[garde(length(max = 100))]
    pub items: Vec<Choice>,
    /// Hours without messages about bookings, to the minute; none when absent or null.
    #[garde(skip)]
    pub quiet_hours: Option<QuietHours>,
}

/// Keeps the choices. One that the organization has fixed is kept, and counts once it is not fixed any more.
///
/// # Errors
/// When a kind cannot be chosen, or the quiet hours are none.
#[utoipa::path(
    put,
    path = "/api/v1/notification-preferences",
    operation_id = "put_preferences",
    tag = "notifications",
    summary = "Say what I want to be told by which way",
    request_body = Request,
    responses(
        (status = 200, description = "The caller's preferences", body = Preferences),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn put_preferences(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Json(request): Json<Request>,
) -> Result<Json<Preferences>, Problem> {
    check_kinds(request.items.iter().map(|choice| choice.kind))?;
    if let Some(quiet) = request.quiet_hours
        && (quiet.from.hour(), quiet.from.minute()) == (quiet.until.hour(), quiet.until.minute())
    {
        return Err(Problem::invalid_field("/quiet_hours", "empty", "They begin and end at the same time."));
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    if is_forgotten(&mut tx, actor.organization, actor.user).await? {
        return Err(Problem::not_found("account"));
    }
    for choice in &request.items {
        let Choice { kind, channel, is_wanted } = *choice;
        let choice = preferences::Choice { kind, channel, is_wanted };
        stored::choose(&mut tx, actor.organization, actor.user, choice).await?;
    }
    stored::keep_quiet(&mut tx, actor.organization, actor.user, request.quiet_hours).await?;
    let preferences = read(&mut tx, &actor).await?;
    tx.commit().await?;
    Ok(Json(preferences))
}

/// 422 for a kind that cannot be chosen.
///
/// # Errors
/// When there is one among them.
pub fn check_kinds(mut kinds: impl Iterator<Item = Kind>) -> Result<(), Problem> {
    match kinds.position(|kind| !KINDS.contains(&kind)) {
        Some(index) => {
            let pointer = format!("/items/{index}/kind");
            Err(Problem::invalid_field(&pointer, "fixed", "Mails of this kind are always sent."))
        }
        None => Ok(()),
    }
}
