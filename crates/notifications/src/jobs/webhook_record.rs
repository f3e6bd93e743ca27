//! Writing down a request to a webhook, and what follows from it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{EventId, UserId};
use platform::db::Tx;
use platform::http::Problem;

use super::webhooks::Leased;
use crate::App;
use crate::account::AccountFacts;
use crate::message::Kind;
use crate::store::webhooks::give_up;
use crate::store::{About, Telling, tell};
use crate::webhooks::client::Answer;
use crate::webhooks::{KEPT, MOST_FAILING, pause};

/// Writes down the request and what follows from it. Who lost the lease meanwhile changes the delivery only to say that
/// it was taken after all.
///
/// # Errors
/// When the database fails.
pub async fn record(app: &App, leased: &Leased, answer: &Answer, at: Timestamp) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(leased.organization).await?;
    sqlx::query!(
        "insert into notifications.webhook_attempt (organization_id, delivery_id, number, attempted_at, status, answer,
                                                    latency_ms)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        at.to_sqlx(),
        answer.status.map(i32::from),
        answer.text,
        i64::try_from(answer.took.as_millis()).unwrap_or(i64::MAX),
    )
    .execute(&mut *tx)
    .await?;
    let pause = pause(leased.attempt - leased.spent, rand::random());
    let (state, due_at) = match (answer.is_success(), pause) {
        (true, _) => ("delivered", None),
        (false, Some(pause)) => ("queued", Some((now + pause).to_sqlx())),
        (false, None) => ("failed", None),
    };
    let ended_at = due_at.is_none().then(|| now.to_sqlx());
    let changed = sqlx::query!(
        "update notifications.webhook_delivery set state = $4, due_at = $5, ended_at = $6
         where organization_id = $1 and id = $2 and state = 'queued' and (attempts = $3 or $4 = 'delivered')",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        state,
        due_at as _,
        ended_at as _,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() > 0 && ended_at.is_some() {
        let_next_come(&mut tx, leased, now).await?;
    }
    judge(app, &mut tx, leased, answer, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The next event of the stream comes up at once, and what has long ended is forgotten.
async fn let_next_come(tx: &mut Tx, leased: &Leased, now: Timestamp) -> Result<(), Problem> {
    sqlx::query!(
        "update notifications.webhook_delivery d set due_at = $3
         from (
             select n.organization_id, n.id from notifications.webhook_delivery n
             join notifications.webhook_delivery e
               on e.organization_id = n.organization_id and e.webhook_id = n.webhook_id and e.stream_id = n.stream_id
             join notifications.webhook w on w.organization_id = n.organization_id and w.id = n.webhook_id
             where e.organization_id = $1 and e.id = $2 and n.state = 'queued' and n.position > e.position and w.is_ordered
             order by n.position limit 1
         ) next
         where d.organization_id = next.organization_id and d.id = next.id and d.due_at > $3 and d.attempts = d.spent",
        leased.organization.0,
        leased.id.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from notifications.webhook_delivery
         where organization_id = $1 and webhook_id = $2 and ended_at < $3",
        leased.organization.0,
        leased.webhook.0,
        (now - KEPT).to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps since when the webhook has failed, and disables one that has for long, or that wants no more.
async fn judge(
    app: &App,
    tx: &mut Tx,
    leased: &Leased,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), Problem> {
    let (organization, webhook) = (leased.organization, leased.webhook);
    if answer.is_success() {
        sqlx::query!(
            "update notifications.webhook set failing_since = null
             where organization_id = $1 and id = $2 and failing_since is not null",
            organization.0,
            webhook.0,
        )
        .execute(&mut **tx)
        .await?;
        return Ok(());
    }
    sqlx::query!(
        "update notifications.webhook set failing_since = $3
         where organization_id = $1 and id = $2 and failing_since is null",
        organization.0,
        webhook.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let reason =
        if answer.is_gone() { "it answered 410: it wants no more" } else { "it failed for three days" };
    let long_ago = if answer.is_gone() { now } else { now - MOST_FAILING };
    let disabled = sqlx::query!(
        r#"update notifications.webhook set is_enabled = false, disabled_reason = $4
         where organization_id = $1 and id = $2 and is_enabled and failing_since <= $3
         returning created_by as "created_by: UserId", url"#,
        organization.0,
        webhook.0,
        long_ago.to_sqlx(),
        reason,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(disabled) = disabled {
        give_up(tx, organization, webhook, now).await?;
        let telling = Telling {
            organization,
            event: EventId::mint(),
            correlation_id: leased.id.to_string(),
            user: disabled.created_by,
            kind: Kind::WebhookDisabled,
            about: About::Account(AccountFacts::WebhookDisabled { url: disabled.url, reason: reason.into() }),
        };
        tell(app, tx, &telling).await?;
    }
    Ok(())
}
