//! Writing down an attempt, and what follows from it.

use std::time::Duration;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use platform::db::Tx;
use platform::http::Problem;

use super::attempt::Report;
use super::deliver::Leased;
use crate::App;
use crate::delivery::{Next, Outcome, State, Way};
use crate::store::devices::remove_gone;
use crate::store::erasure::is_forgotten;
use crate::store::suppressions::insert;
use crate::suppression::Reason;

/// The provider of an attempt that ended before any was asked.
const NOBODY: &str = "none";

/// Writes down the attempt and what follows from it. Who lost the lease meanwhile changes the delivery only to say that
/// it was sent after all. False when there was no attempt, because every provider rested.
///
/// # Errors
/// When the database fails.
pub async fn record(app: &App, leased: &Leased, report: &Report, at: Timestamp) -> Result<bool, Problem> {
    let now = app.context.clock.now();
    let round = leased.attempt - leased.spent;
    let next = report.outcome.next(round, app.config.max_attempts, rand::random());
    let (state, due_at, sent_at, failed_at) = match next {
        Next::Sent => (State::Sent, None, Some(now.to_sqlx()), None),
        Next::Retry(pause) | Next::Postpone(pause) => {
            (State::Queued, Some((now + pause).to_sqlx()), None, None)
        }
        Next::Failed => (State::Failed, None, None, Some(now.to_sqlx())),
    };
    let made = !matches!(next, Next::Postpone(_));
    let error = (next != Next::Sent).then(|| report.outcome.answer());
    let mut tx = app.context.db.begin(leased.organization).await?;
    if is_forgotten(&mut tx, leased.organization, leased.user).await? {
        return Ok(made);
    }
    if made {
        write_tries(app, &mut tx, leased, report, at).await?;
    }
    sqlx::query!(
        "update notifications.delivery
         set state = $4, due_at = $5, sent_at = $6, error = $7, channel = $8, failed_at = $9, attempts = attempts - $10
         where organization_id = $1 and id = $2 and state = 'queued' and (attempts = $3 or $4 = 'sent')",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        state as State,
        due_at as _,
        sent_at as _,
        error,
        leased.way(app) as Way,
        failed_at as _,
        i32::from(!made),
    )
    .execute(&mut *tx)
    .await?;
    if let Some(digest) = &report.suppress {
        insert(&mut tx, leased.organization, digest, Reason::NoSuchAddress, Some(leased.user), now).await?;
    }
    if let Some(device) = report.gone {
        remove_gone(&mut tx, leased.organization, device, at).await?;
    }
    tx.commit().await?;
    Ok(made)
}

async fn write_tries(
    app: &App,
    tx: &mut Tx,
    leased: &Leased,
    report: &Report,
    at: Timestamp,
) -> Result<(), Problem> {
    for made in &report.tries {
        write(app, tx, leased, (made.provider, made.took, &made.outcome, report.message_id.as_deref()), at)
            .await?;
    }
    if report.tries.is_empty() {
        write(app, tx, leased, (NOBODY, Duration::ZERO, &report.outcome, None), at).await?;
    }
    Ok(())
}

/// One row: provider, time that it took, how it ended, `Message-ID`.
async fn write(
    app: &App,
    tx: &mut Tx,
    leased: &Leased,
    (provider, took, outcome, message_id): (&str, Duration, &Outcome, Option<&str>),
    at: Timestamp,
) -> Result<(), Problem> {
    // Who lost the lease may come to write the same attempt that another has counted back.
    sqlx::query!(
        "insert into notifications.attempt (organization_id, delivery_id, number, channel, attempted_at, outcome, answer,
                                            latency_ms, provider, message_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict do nothing",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        leased.way(app) as Way,
        at.to_sqlx(),
        outcome.name(),
        outcome.answer(),
        i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        provider,
        message_id,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
