//! Webhooks as they are kept and shown.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId, WebhookId};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// Somebody else's address that is told what happens. Its secret is shown when it is made, and not again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where requests go.
    #[schema(example = "https://hooks.example.com/reservas")]
    pub url: String,
    /// Types of events; empty: all.
    #[schema(example = json!(["reservas.booking.confirmed.v1"]))]
    pub types: Vec<String>,
    /// Whether the events of one booking are told one after the other: the next when the one before was taken or given up.
    pub is_ordered: bool,
    /// Whether it is told anything.
    pub is_enabled: bool,
    /// Why it is not.
    pub disabled_reason: Option<String>,
    /// Since when no request has succeeded.
    pub failing_since: Option<Timestamp>,
    /// Who made it; they are told when it is disabled.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// A webhook with the secret by which its requests can be told from others'.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// The secret, shown this once (Standard Webhooks: `whsec_` and base64).
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: String,
}

/// The webhooks of an organization, oldest first; or one of them.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    organization: OrganizationId,
    only: Option<WebhookId>,
) -> Result<Vec<Webhook>, Problem> {
    let rows = sqlx::query!(
        r#"select id as "id: WebhookId", url, types, is_ordered, is_enabled, disabled_reason, failing_since,
                  created_by as "created_by: UserId", created_at
           from notifications.webhook
           where organization_id = $1 and ($2::uuid is null or id = $2) order by id"#,
        organization.0,
        only.map(|id| id.0),
    )
    .fetch_all(&mut **tx)
    .await?;
    let webhooks = rows.into_iter().map(|row| Webhook {
        id: row.id,
        url: row.url,
        types: row.types,
        is_ordered: row.is_ordered,
        is_enabled: row.is_enabled,
        disabled_reason: row.disabled_reason,
        failing_since: row.failing_since.map(|at| at.to_jiff()),
        created_by: row.created_by,
        created_at: row.created_at.to_jiff(),
    });
    Ok(webhooks.collect())
}

/// One webhook.
///
/// # Errors
/// 404 when the organization has no such webhook.
pub async fn find(tx: &mut Tx, organization: OrganizationId, id: WebhookId) -> Result<Webhook, Problem> {
    let found = list(tx, organization, Some(id)).await?;
    found.into_iter().next().ok_or_else(|| Problem::not_found("webhook"))
}

/// Gives up what waits for a webhook.
///
/// # Errors
/// When the database fails.
pub async fn give_up(
    tx: &mut Tx,
    organization: OrganizationId,
    id: WebhookId,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "update notifications.webhook_delivery set state = 'failed', due_at = null, ended_at = $3
         where organization_id = $1 and webhook_id = $2 and state = 'queued'",
        organization.0,
        id.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
