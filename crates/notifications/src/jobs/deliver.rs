//! Delivering what is due: found across organizations, leased and recorded inside each, sent outside of transactions.

use std::collections::HashMap;

use futures_util::{StreamExt as _, future, stream};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, DeliveryId, DeviceId, LetterId, OrganizationId, UserId};
use platform::http::Problem;
use rand::seq::SliceRandom as _;
use uuid::Uuid;

use super::attempt::attempt;
use super::record::record;
use crate::App;
use crate::delivery::Way;
use crate::message::Kind;

/// Deliveries looked for at once.
const BATCH: i64 = 64;
/// Deliveries of one organization that are leased by one statement, and then all under way at once.
const LEASED: usize = 4;
/// Leases under way at once; 16 deliveries, and so connections to a mail server, for each lane of `jobs::run`.
const AT_ONCE: usize = 4;
/// How long a taken delivery is nobody else's. Longer than the slowest attempt: twice 5 s for the peers, twice 2 s for a
/// turn, twice 60 s for the mail servers, and the database's own limits.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// A delivery that is ours until its lease runs out.
#[derive(Debug)]
pub struct Leased {
    /// In which organization.
    pub organization: OrganizationId,
    /// Which.
    pub id: DeliveryId,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// Attempts of earlier rounds, before it was sent again by hand.
    pub spent: i32,
    /// What ties it to the request that caused it.
    pub correlation_id: String,
    /// Whom it is for; for a letter to somebody without an account, the letter's id.
    pub user: UserId,
    /// From which queue it was taken.
    pub queue: Queue,
    /// The device that it is for; none where it is no push.
    pub device: Option<DeviceId>,
    /// What it is about.
    pub about: About,
}

impl Leased {
    /// By which way it goes.
    #[must_use]
    pub fn way(&self, app: &App) -> Way {
        match self.queue {
            Queue::Mails => app.providers.way(),
            Queue::Pushes => Way::Push,
            Queue::Texts => Way::Sms,
        }
    }
}

/// Which deliveries: each has its own lanes, so that mail servers that hang do not hold pushes up, nor the other way round.
/// As the index `delivery_due` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Mails.
    Mails = 0,
    /// Pushes to devices.
    Pushes = 1,
    /// Short messages.
    Texts = 2,
}

/// What a delivery is about.
#[derive(Debug)]
pub enum About {
    /// Something that happened.
    Told(Told),
    /// A mail that the user service writes.
    Letter(LetterId),
}

/// Something that somebody is told of a booking, or of their account.
#[derive(Debug)]
pub struct Told {
    /// What.
    pub kind: Kind,
    /// None where it is about the person's account.
    pub booking: Option<BookingId>,
    /// The facts.
    pub data: serde_json::Value,
    /// When it was heard.
    pub heard_at: Timestamp,
}

/// Makes one attempt at each delivery of a queue that is due, up to a batch of them, and tells how many attempts were made.
/// Begins none once the process stops, or while every provider of mails rests.
///
/// # Errors
/// When the queue cannot be read. An attempt that fails is recorded, not returned.
pub async fn deliver_due(app: &App, queue: Queue) -> Result<usize, Problem> {
    if queue == Queue::Mails && app.providers.rest() {
        return Ok(0);
    }
    let due = stream::iter(find_due(app, queue).await?).take_until(app.context.shutdown.cancelled());
    let leases = due.map(|(organization, ids)| async move {
        let leased = match lease(app, queue, organization, &ids).await {
            Ok(leased) => leased,
            Err(problem) => {
                tracing::warn!(error = problem.detail, "due deliveries cannot be taken");
                return 0;
            }
        };
        let made = stream::iter(leased).map(|leased| async move { deliver(app, &leased).await });
        let made = made.buffer_unordered(LEASED);
        made.filter(|&made| future::ready(made)).count().await
    });
    Ok(leases.buffer_unordered(AT_ONCE).fold(0, |sum, made| future::ready(sum + made)).await)
}

/// What is due, in parts that are leased together. In no order, so that replicas do not reach for the same ones.
async fn find_due(app: &App, queue: Queue) -> Result<Vec<(OrganizationId, Vec<Uuid>)>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin_as_finder().await?;
    let rows = sqlx::query!(
        "select organization_id, id from notifications.delivery
         where (case channel when 'push' then 1 when 'sms' then 2 else 0 end) = $3 and due_at <= $1 order by due_at limit $2",
        now.to_sqlx(),
        BATCH,
        queue as i32,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut by_organization: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in rows {
        by_organization.entry(row.organization_id).or_default().push(row.id);
    }
    let mut parts = Vec::new();
    for (organization, ids) in by_organization {
        parts.extend(ids.chunks(LEASED).map(|part| (OrganizationId(organization), part.to_vec())));
    }
    parts.shuffle(&mut rand::rng());
    Ok(parts)
}

/// Makes one attempt; false when there was none to record.
async fn deliver(app: &App, leased: &Leased) -> bool {
    let at = app.context.clock.now();
    let report = attempt(app, leased, at).await;
    tracing::info!(
        delivery = %leased.id,
        correlation_id = leased.correlation_id,
        attempt = leased.attempt,
        outcome = report.outcome.name(),
        tries = report.tries.len(),
        "attempted"
    );
    let recorded = record(app, leased, &report, at).await;
    recorded.unwrap_or_else(|problem| {
        tracing::warn!(delivery = %leased.id, error = problem.detail, "the delivery waits for its lease to run out");
        false
    })
}

/// Takes those of the deliveries that no other replica has.
async fn lease(
    app: &App,
    queue: Queue,
    organization: OrganizationId,
    ids: &[Uuid],
) -> Result<Vec<Leased>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(organization).await?;
    let rows = sqlx::query!(
        r#"with taken as (
             select organization_id, id from notifications.delivery
             where organization_id = $1 and id = any($2) and due_at <= $3
             for update skip locked
         )
         update notifications.delivery d set due_at = $4, attempts = d.attempts + 1, last_attempt_at = $3
         from taken, notifications.message m
         where d.organization_id = taken.organization_id and d.id = taken.id
           and m.organization_id = d.organization_id and m.id = d.message_id
         returning d.id, d.attempts, d.spent, d.device_id as "device: DeviceId", m.user_id, case when m.letter_id is null then m.kind end as "kind: Kind",
                   m.booking_id as "booking: BookingId", m.letter_id as "letter: LetterId", m.data,
                   m.correlation_id, m.created_at"#,
        organization.0,
        ids,
        now.to_sqlx(),
        (now + LEASE).to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut leased = Vec::new();
    for row in rows {
        let about = match (row.letter, row.kind) {
            (Some(letter), _) => About::Letter(letter),
            (None, Some(kind)) => About::Told(Told {
                kind,
                booking: row.booking,
                data: row.data,
                heard_at: row.created_at.to_jiff(),
            }),
            (None, None) => return Err(Problem::internal(&"a message is about nothing")),
        };
        leased.push(Leased {
            organization,
            id: DeliveryId(row.id),
            attempt: row.attempts,
            spent: row.spent,
            correlation_id: row.correlation_id,
            user: UserId(row.user_id),
            queue,
            device: row.device,
            about,
        });
    }
    Ok(leased)
}
