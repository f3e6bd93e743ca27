//! Queueing an event for the webhooks that want to be told, in the transaction that handles it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{EventId, OrganizationId, WebhookDeliveryId, WebhookId};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;
use serde::Serialize;
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::webhooks::{TEST, TYPES};

/// What an integrator is sent.
#[derive(Debug, Serialize)]
struct Payload<'a, T> {
    r#type: &'a str,
    timestamp: Timestamp,
    organization_id: OrganizationId,
    /// The booking that it happened to.
    subject: Uuid,
    /// The number of the event within that booking's history, from 1 without a gap.
    stream_version: i64,
    data: &'a T,
}

/// Queues an event for every webhook of its organization that wants it.
///
/// # Errors
/// When the database fails.
pub async fn queue(app: &App, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    if !TYPES.contains(&event.kind.as_str()) {
        return Ok(());
    }
    // Locked: one that is disabled at this moment must not be left with something that waits.
    let webhooks = sqlx::query_scalar!(
        "select id from notifications.webhook
         where organization_id = $1 and is_enabled and (types = '{}' or $2 = any(types))
         for share",
        event.organizationid.0,
        event.kind,
    )
    .fetch_all(&mut **tx)
    .await?;
    if webhooks.is_empty() {
        return Ok(());
    }
    let body = serde_json::to_string(&Payload {
        r#type: &event.kind,
        timestamp: event.time,
        organization_id: event.organizationid,
        subject: event.subject,
        stream_version: event.streamversion,
        data: &event.data,
    })
    .map_err(Error::from)?;
    let now = app.context.clock.now();
    for webhook in webhooks {
        insert(
            tx,
            event.organizationid,
            WebhookId(webhook),
            (event.id, event.kind.as_str(), event.subject),
            &body,
            now,
        )
        .await?;
    }
    Ok(())
}

/// Queues an event by which an address is tried.
///
/// # Errors
/// When the database fails.
pub async fn queue_test(
    tx: &mut Tx,
    organization: OrganizationId,
    webhook: WebhookId,
    now: Timestamp,
) -> Result<WebhookDeliveryId, Problem> {
    let event = EventId::mint();
    let body = serde_json::to_string(&Payload {
        r#type: TEST,
        timestamp: now,
        organization_id: organization,
        subject: event.0,
        stream_version: 1,
        data: &serde_json::json!({ "webhook_id": webhook }),
    })
    .map_err(Error::from)?;
    insert(tx, organization, webhook, (event, TEST, event.0), &body, now).await
}

/// An event as its id, type and stream.
async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    webhook: WebhookId,
    (event, kind, stream): (EventId, &str, Uuid),
    body: &str,
    now: Timestamp,
) -> Result<WebhookDeliveryId, Problem> {
    let id = WebhookDeliveryId::mint();
    sqlx::query!(
        "insert into notifications.webhook_delivery
             (organization_id, id, webhook_id, event_id, type, stream_id, body, due_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict on constraint webhook_delivery_once do nothing",
        organization.0,
        id.0,
        webhook.0,
        event.0,
        kind,
        stream,
        body,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}
