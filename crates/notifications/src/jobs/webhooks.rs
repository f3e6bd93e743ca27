//! Telling webhooks what is due: found across organizations, leased and recorded inside each, sent outside of transactions.

use futures_util::{StreamExt as _, future, stream};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, WebhookDeliveryId, WebhookId};
use platform::http::Problem;
use platform::sealing::Opened;

use super::webhook_record::record;
use crate::App;
use crate::store::sealed::{old_webhook_secret, webhook_secret};
use crate::webhooks::client::Request;

/// Requests looked for at once.
const BATCH: i64 = 64;
/// Requests under way at once, for each lane of `jobs::run`.
const AT_ONCE: usize = 16;
/// How long a taken delivery is nobody else's. Longer than a request may take, and the database's own limits.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// A delivery to a webhook that is ours until its lease runs out.
#[derive(Debug)]
pub struct Leased {
    /// In which organization.
    pub organization: OrganizationId,
    /// Which.
    pub id: WebhookDeliveryId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// Attempts of earlier rounds.
    pub spent: i32,
    url: String,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
    event: String,
    body: String,
}

/// Makes one request for each delivery that is due, up to a batch of them, and tells how many were made. Begins none
/// once the process stops.
///
/// # Errors
/// When the queue cannot be read. A request that fails is recorded, not returned.
pub async fn tell_due(app: &App) -> Result<usize, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!(
        "select organization_id, id from notifications.webhook_delivery where due_at <= $1 order by due_at limit $2",
        now.to_sqlx(),
        BATCH,
    )
    .fetch_all(&mut *tx)
    .await?;
    drop(tx);
    let due = stream::iter(due).take_until(app.context.shutdown.cancelled());
    let made = due.map(|row| async move {
        let (organization, id) = (OrganizationId(row.organization_id), WebhookDeliveryId(row.id));
        tell(app, organization, id).await.unwrap_or_else(|problem| {
            tracing::warn!(delivery = %id, error = problem.detail, "the webhook's delivery waits for its lease to run out");
            false
        })
    });
    Ok(made.buffer_unordered(AT_ONCE).filter(|&made| future::ready(made)).count().await)
}

/// Makes one request; false when another replica is at it, or an earlier event of its stream comes first.
async fn tell(app: &App, organization: OrganizationId, id: WebhookDeliveryId) -> Result<bool, Problem> {
    let Some(leased) = lease(app, organization, id).await? else {
        return Ok(false);
    };
    let now = app.context.clock.now();
    let keyring = &app.context.keyring;
    let secret = keyring.open(&webhook_secret(organization, leased.webhook), &leased.secret)?;
    let old = old_webhook_secret(organization, leased.webhook);
    let old = leased.old_secret.as_ref().map(|kept| keyring.open(&old, kept)).transpose()?;
    let mut secrets = vec![secret.expose()];
    secrets.extend(old.as_ref().map(Opened::expose));
    let request = Request { url: &leased.url, secrets: &secrets, id: &leased.event, body: &leased.body };
    let answer = app.webhooks.send(&request, now).await;
    tracing::info!(webhook = %leased.webhook, delivery = %id, attempt = leased.attempt, status = answer.status, "told");
    record(app, &leased, &answer, now).await?;
    Ok(true)
}

/// Takes the delivery, unless another replica has. One that waits for an earlier event of its stream is put off until
/// that one's turn, and comes up when that one ends.
async fn lease(
    app: &App,
    organization: OrganizationId,
    id: WebhookDeliveryId,
) -> Result<Option<Leased>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(organization).await?;
    let row = sqlx::query!(
        r#"with taken as (
             select d.organization_id, d.id, w.url, w.secret,
                    case when w.old_secret_until > $3 then w.old_secret end as old_secret,
                    case when w.is_ordered then (
                        select min(e.due_at) from notifications.webhook_delivery e
                        where e.organization_id = d.organization_id and e.webhook_id = d.webhook_id
                          and e.stream_id = d.stream_id and e.position < d.position and e.state = 'queued'
                    ) end as first
             from notifications.webhook_delivery d
             join notifications.webhook w on w.organization_id = d.organization_id and w.id = d.webhook_id
             where d.organization_id = $1 and d.id = $2 and d.due_at <= $3
             for update of d skip locked
         )
         update notifications.webhook_delivery d
         set due_at = case when taken.first is null then $4 else greatest(taken.first, $5) end,
             attempts = d.attempts + case when taken.first is null then 1 else 0 end
         from taken where d.organization_id = taken.organization_id and d.id = taken.id
         returning d.webhook_id as "webhook: WebhookId", d.attempts, d.spent, d.event_id, d.body, taken.url as "url!",
                   taken.secret as "secret!",
                   taken.old_secret as "old_secret?", taken.first is not null as "waits!""#,
        organization.0,
        id.0,
        now.to_sqlx(),
        (now + LEASE).to_sqlx(),
        (now + SignedDuration::from_secs(1)).to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row.filter(|row| !row.waits).map(|row| Leased {
        organization,
        id,
        webhook: row.webhook,
        attempt: row.attempts,
        spent: row.spent,
        url: row.url,
        secret: row.secret,
        old_secret: row.old_secret,
        event: row.event_id.to_string(),
        body: row.body,
    }))
}
