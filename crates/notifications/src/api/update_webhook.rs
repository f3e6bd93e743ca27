//! `PATCH /api/v1/webhooks/{id}`: a webhook gets other things, elsewhere, or nothing for a while.

use axum::extract::State;
use garde::Validate;
use kernel::WebhookId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_webhook::{check_types, check_url};
use crate::App;
use crate::store::webhooks::{Webhook, find, give_up};

/// Why a webhook that somebody has switched off is.
const SWITCHED_OFF: &str = "an administrator has switched it off";

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateWebhook)]
pub struct Request {
    /// Where requests go. Also those that wait.
    #[garde(inner(length(max = 2000)))]
    #[schema(max_length = 2000)]
    pub url: Option<String>,
    /// Types of events; empty: all.
    #[garde(inner(length(max = 50)))]
    pub types: Option<Vec<String>>,
    /// Whether the events of one booking are told one after the other.
    #[garde(skip)]
    pub is_ordered: Option<bool>,
    /// False gives up what waits; true begins anew, with what happens from then on.
    #[garde(skip)]
    pub is_enabled: Option<bool>,
}

/// Changes a webhook.
///
/// # Errors
/// When there is none, or requests may not go there.
#[utoipa::path(
    patch,
    path = "/api/v1/webhooks/{id}",
    operation_id = "update_webhook",
    tag = "webhooks",
    summary = "Change a webhook, or switch it off and on",
    params(("id" = WebhookId, Path, description = "The webhook")),
    request_body = Request,
    responses(
        (status = 200, description = "The webhook", body = Webhook),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn update_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
    Json(request): Json<Request>,
) -> Result<Json<Webhook>, Problem> {
    if let Some(url) = &request.url {
        check_url(&app, url)?;
    }
    check_types(request.types.as_deref().unwrap_or_default())?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    sqlx::query!(
        "update notifications.webhook
         set url = coalesce($3, url), types = coalesce($4, types), is_ordered = coalesce($5, is_ordered),
             is_enabled = coalesce($6, is_enabled),
             disabled_reason = case when $6 then null when not $6 then coalesce(disabled_reason, $7) else disabled_reason end,
             failing_since = case when $6 then null else failing_since end
         where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
        request.url,
        request.types.as_deref(),
        request.is_ordered,
        request.is_enabled,
        SWITCHED_OFF,
    )
    .execute(&mut *tx)
    .await?;
    let webhook = find(&mut tx, actor.organization, id).await?;
    if !webhook.is_enabled {
        give_up(&mut tx, actor.organization, id, app.context.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(Json(webhook))
}
