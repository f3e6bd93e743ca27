//! Delivering what is due: found across organizations, leased and recorded inside each, sent outside of transactions.

use std::time::Instant;

use contracts::users::Contact;
use futures_util::{StreamExt as _, future, stream};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, DeliveryId, Email, LetterId, OrganizationId, UserId};
use platform::http::Problem;
use serde::de::DeserializeOwned;

use super::letter;
use crate::App;
use crate::account::{AccountFacts, Link};
use crate::delivery::{Next, Outcome, REMOVED, State, Way};
use crate::mail::{self, Head, Letter, Mail};
use crate::message::{Facts, Kind};
use crate::peers;

/// Deliveries looked for at once.
const BATCH: i64 = 64;
/// Deliveries under way at once, and so connections to the mail server.
const AT_ONCE: usize = 8;
/// How long a taken delivery is nobody else's. Longer than the slowest attempt: twice 5 s for the peers, 60 s for the
/// mail server, and the database's own limits.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// Characters of a provider's answer that are kept.
const ANSWER: usize = 500;

/// A delivery that is ours until its lease runs out.
#[derive(Debug)]
struct Leased {
    organization: OrganizationId,
    id: DeliveryId,
    /// The number of this attempt, from 1.
    attempt: i32,
    correlation_id: String,
    about: About,
}

/// What a delivery is about.
#[derive(Debug)]
enum About {
    Told(Told),
    Letter(LetterId),
}

/// Something that somebody is told of a booking, or of their account.
#[derive(Debug)]
struct Told {
    user: UserId,
    kind: Kind,
    /// None where it is about the person's account.
    booking: Option<BookingId>,
    subject: String,
    data: serde_json::Value,
    heard_at: Timestamp,
}

/// Makes one attempt at each delivery that is due, up to a batch of them, and tells how many attempts were made.
/// Begins none once the process stops.
///
/// # Errors
/// When the queue cannot be read. An attempt that fails is recorded, not returned.
pub async fn deliver_due(app: &App) -> Result<usize, Problem> {
    let due = stream::iter(find_due(app).await?).take_until(app.context.shutdown.cancelled());
    let attempts = due.map(|(organization, id)| async move {
        deliver(app, organization, id).await.unwrap_or_else(|problem| {
            tracing::warn!(delivery = %id, error = problem.detail, "the delivery waits for its lease to run out");
            false
        })
    });
    Ok(attempts.buffer_unordered(AT_ONCE).filter(|&made| future::ready(made)).count().await)
}

async fn find_due(app: &App) -> Result<Vec<(OrganizationId, DeliveryId)>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin_as_finder().await?;
    let rows = sqlx::query!(
        "select organization_id, id from notifications.delivery where due_at <= $1 order by due_at limit $2",
        now.to_sqlx(),
        BATCH,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows.into_iter().map(|row| (OrganizationId(row.organization_id), DeliveryId(row.id))).collect())
}

/// Makes one attempt; false when another replica is at it.
async fn deliver(app: &App, organization: OrganizationId, id: DeliveryId) -> Result<bool, Problem> {
    let Some(leased) = lease(app, organization, id).await? else {
        return Ok(false);
    };
    let attempted_at = app.context.clock.now();
    let started = Instant::now();
    let outcome = attempt(app, &leased, attempted_at).await;
    let latency_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    tracing::info!(
        delivery = %id,
        correlation_id = leased.correlation_id,
        attempt = leased.attempt,
        outcome = outcome.name(),
        latency_ms,
        "attempted"
    );
    record(app, &leased, &outcome, attempted_at, latency_ms).await?;
    Ok(true)
}

/// Takes the delivery, unless another replica has.
async fn lease(app: &App, organization: OrganizationId, id: DeliveryId) -> Result<Option<Leased>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(organization).await?;
    let row = sqlx::query!(
        r#"with taken as (
             select organization_id, id from notifications.delivery
             where organization_id = $1 and id = $2 and due_at <= $3
             for update skip locked
         )
         update notifications.delivery d set due_at = $4, attempts = d.attempts + 1, last_attempt_at = $3
         from taken, notifications.message m
         where d.organization_id = taken.organization_id and d.id = taken.id
           and m.organization_id = d.organization_id and m.id = d.message_id
         returning d.attempts, m.user_id, case when m.letter_id is null then m.kind end as "kind: Kind",
                   m.booking_id as "booking: BookingId", m.letter_id as "letter: LetterId", m.subject, m.data, m.correlation_id,
                   m.created_at"#,
        organization.0,
        id.0,
        now.to_sqlx(),
        (now + LEASE).to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let about = match (row.letter, row.kind) {
        (Some(letter), _) => About::Letter(letter),
        (None, Some(kind)) => About::Told(Told {
            user: UserId(row.user_id),
            kind,
            booking: row.booking,
            subject: row.subject,
            data: row.data,
            heard_at: row.created_at.to_jiff(),
        }),
        (None, None) => return Err(Problem::internal(&"a message is about nothing")),
    };
    let correlation_id = row.correlation_id;
    Ok(Some(Leased { organization, id, attempt: row.attempts, correlation_id, about }))
}

/// One attempt, outside of any transaction.
async fn attempt(app: &App, leased: &Leased, now: Timestamp) -> Outcome {
    if leased.attempt > i32::from(app.config.max_attempts) {
        return Outcome::Passing("the last attempts broke off without an end".into());
    }
    match &leased.about {
        About::Letter(id) => {
            let place = letter::Place {
                organization: leased.organization,
                letter: *id,
                delivery: leased.id,
                correlation_id: &leased.correlation_id,
            };
            letter::attempt(app, &place, now).await
        }
        About::Told(told) => attempt_told(app, leased, told, now).await,
    }
}

async fn attempt_told(app: &App, leased: &Leased, told: &Told, now: Timestamp) -> Outcome {
    let contact = match peers::contact(app, leased.organization, told.user, &leased.correlation_id).await {
        Ok(Some(contact)) => contact,
        Ok(None) => return Outcome::Permanent(REMOVED.into()),
        Err(error) => return Outcome::Passing(format!("the user service: {error}")),
    };
    if contact.email.as_str().ends_with(".invalid") {
        return Outcome::Permanent("a service account reads no mail".into());
    }
    let written = match told.booking {
        Some(booking) => about_booking(app, leased, told, booking, &contact, now).await,
        None => about_account(app, leased, told, &contact, now).await,
    };
    let outcome = match written {
        Ok(mail) => app.channel.send(&mail).await,
        Err(outcome) => outcome,
    };
    without_address(outcome, &contact.email)
}

/// What the message was written with. Passing: a replica of a later version may have written it.
fn read<T: DeserializeOwned>(told: &Told) -> Result<T, Outcome> {
    serde_json::from_value(told.data.clone())
        .map_err(|error| Outcome::Passing(format!("the message cannot be read: {error}")))
}

async fn about_booking(
    app: &App,
    leased: &Leased,
    told: &Told,
    booking: BookingId,
    contact: &Contact,
    now: Timestamp,
) -> Result<Mail, Outcome> {
    let facts = read::<Facts>(told)?;
    let title = peers::title(app, leased.organization, booking, &leased.correlation_id).await;
    let title = title.map_err(|error| Outcome::Passing(format!("the booking service: {error}")))?;
    let letter = leased.letter(told, booking, facts, contact, title);
    mail::write(&letter, &app.sender, now).map_err(Outcome::Permanent)
}

async fn about_account(
    app: &App,
    leased: &Leased,
    told: &Told,
    contact: &Contact,
    now: Timestamp,
) -> Result<Mail, Outcome> {
    let facts = read::<AccountFacts>(told)?;
    let link = match &facts {
        AccountFacts::PasswordResetRequested { reset_id } => {
            let link = peers::reset_link(app, leased.organization, *reset_id, &leased.correlation_id).await;
            let link = link.map_err(|error| Outcome::Passing(format!("the user service: {error}")))?;
            let link = link.ok_or_else(|| Outcome::Permanent("the link is too old, or was used".into()))?;
            Some(Link::new(&app.config.link_url, &link))
        }
        _ => None,
    };
    let head = Head {
        delivery: leased.id,
        subject: &told.subject,
        correlation_id: &leased.correlation_id,
        email: &contact.email,
        name: &contact.name,
    };
    let text = facts.text(&contact.name, &contact.time_zone, told.heard_at, link.as_ref());
    mail::write_text(&head, text, &app.sender, now).map_err(Outcome::Permanent)
}

impl Leased {
    fn letter(
        &self,
        told: &Told,
        booking: BookingId,
        facts: Facts,
        contact: &Contact,
        title: Option<String>,
    ) -> Letter {
        Letter {
            delivery: self.id,
            booking,
            kind: told.kind,
            subject: told.subject.clone(),
            facts,
            correlation_id: self.correlation_id.clone(),
            heard_at: told.heard_at,
            email: contact.email.clone(),
            name: contact.name.clone(),
            title,
        }
    }
}

/// The outcome with the answer that may be kept: servers repeat addresses, and addresses are not ours to keep.
pub fn without_address(outcome: Outcome, email: &Email) -> Outcome {
    let clean = |answer: String| -> String {
        let hidden = answer.to_lowercase().contains(email.as_str());
        let answer = if hidden { answer.to_lowercase().replace(email.as_str(), "[address]") } else { answer };
        answer.chars().take(ANSWER).collect()
    };
    match outcome {
        Outcome::Sent(answer) => Outcome::Sent(clean(answer)),
        Outcome::Passing(answer) => Outcome::Passing(clean(answer)),
        Outcome::Permanent(answer) => Outcome::Permanent(clean(answer)),
    }
}

/// Writes down the attempt and what follows from it. Who lost the lease meanwhile changes the delivery only to say
/// that it was sent after all.
async fn record(
    app: &App,
    leased: &Leased,
    outcome: &Outcome,
    at: Timestamp,
    latency_ms: i64,
) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let next = outcome.next(leased.attempt, app.config.max_attempts, rand::random());
    let (state, due_at, sent_at) = match next {
        Next::Sent => (State::Sent, None, Some(now.to_sqlx())),
        Next::Retry(pause) => (State::Queued, Some((now + pause).to_sqlx()), None),
        Next::Failed => (State::Failed, None, None),
    };
    let error = (next != Next::Sent).then(|| outcome.answer());
    let mut tx = app.context.db.begin(leased.organization).await?;
    sqlx::query!(
        "insert into notifications.attempt (organization_id, delivery_id, number, channel, attempted_at, outcome, answer,
                                            latency_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        app.channel.way() as Way,
        at.to_sqlx(),
        outcome.name(),
        outcome.answer(),
        latency_ms,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update notifications.delivery set state = $4, due_at = $5, sent_at = $6, error = $7, channel = $8
         where organization_id = $1 and id = $2 and state = 'queued' and (attempts = $3 or $4 = 'sent')",
        leased.organization.0,
        leased.id.0,
        leased.attempt,
        state as State,
        due_at as _,
        sent_at as _,
        error,
        app.channel.way() as Way,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
