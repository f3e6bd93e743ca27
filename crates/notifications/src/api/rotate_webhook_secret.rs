//! `POST /api/v1/webhooks/{id}/rotate-secret`: requests are signed with another secret, and for a day with both.

use axum::extract::State;
use jiff_sqlx::ToSqlx as _;
use kernel::WebhookId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};

use crate::App;
use crate::store::sealed::{old_webhook_secret, webhook_secret};
use crate::store::webhooks::{WebhookWithSecret, find};
use crate::webhooks::{OLD_SECRET, signature};

/// Makes a new secret, which is in this answer and in no other.
///
/// # Errors
/// When there is no such webhook.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/rotate-secret",
    operation_id = "rotate_webhook_secret",
    tag = "webhooks",
    summary = "Give a webhook another secret",
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook with its new secret; the old one signs for 24 h more", body = WebhookWithSecret),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn rotate_webhook_secret(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<WebhookId>,
) -> Result<Json<WebhookWithSecret>, Problem> {
    let secret = signature::mint();
    let (keyring, organization) = (&app.context.keyring, actor.organization);
    let mut tx = app.context.db.begin(organization).await?;
    let kept = sqlx::query_scalar!(
        "select secret from notifications.webhook where organization_id = $1 and id = $2 for update",
        organization.0,
        id.0,
    );
    let kept = kept.fetch_optional(&mut *tx).await?.ok_or_else(|| Problem::not_found("webhook"))?;
    // A sealed value opens in its own column alone.
    let old = keyring.open(&webhook_secret(organization, id), &kept)?;
    sqlx::query!(
        "update notifications.webhook set secret = $3, old_secret = $4, old_secret_until = $5
         where organization_id = $1 and id = $2",
        organization.0,
        id.0,
        keyring.seal(&webhook_secret(organization, id), &secret)?,
        keyring.seal(&old_webhook_secret(organization, id), old.expose())?,
        (app.context.clock.now() + OLD_SECRET).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let webhook = find(&mut tx, actor.organization, id).await?;
    tx.commit().await?;
    Ok(Json(WebhookWithSecret { webhook, secret: signature::show(&secret) }))
}
