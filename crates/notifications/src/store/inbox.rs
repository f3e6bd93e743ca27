//! Messages as they come, for people whose inbox is open: one reader a process, which hands on for whom there is something.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{BookingId, MessageId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use platform::http::seats::Seats;
use platform::service::Context;
use tokio::sync::{OnceCell, broadcast};

use crate::inbox::{Arrival, Cursor, NewNotification};
use crate::message::Kind;

/// How many messages of all people a stream may be behind before it is dropped.
const BEHIND: usize = 4096;
/// Messages read at once.
const PAGE: i64 = 500;
/// How often is looked for new ones.
const EVERY: Duration = Duration::from_millis(500);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// What all open inboxes of this process share. Nothing is read before the first of them comes.
#[derive(Debug)]
pub struct Hub {
    started: OnceCell<()>,
    newest: Mutex<Cursor>,
    sender: broadcast::Sender<Arrival>,
    /// The places of streams.
    pub seats: Seats,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            started: OnceCell::new(),
            newest: Mutex::new(NOWHERE),
            sender: broadcast::Sender::new(BEHIND),
            seats: Seats::default(),
        }
    }
}

const NOWHERE: Cursor = Cursor { xid: 0, id: MessageId(uuid::Uuid::nil()) };

impl Hub {
    /// Starts the reader, once, behind the last message.
    ///
    /// # Errors
    /// When the database fails; the next stream tries again.
    pub async fn start(self: &Arc<Self>, context: &Context) -> Result<(), Problem> {
        let start = async || {
            let mut tx = context.db.begin_as_finder().await?;
            let newest = newest(&mut tx).await?.unwrap_or(NOWHERE);
            tx.commit().await?;
            self.advance(newest);
            let (hub, context) = (self.clone(), context.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = context.shutdown.cancelled() => {}
                    () = hub.read(&context) => {}
                }
            });
            Ok(())
        };
        self.started.get_or_try_init(start).await.map(|_| ())
    }

    async fn read(&self, context: &Context) {
        loop {
            let pause = match self.step(context).await {
                Ok(count) if count == PAGE => continue,
                Ok(_) => EVERY,
                Err(problem) => {
                    tracing::warn!(code = problem.code, "new messages could not be read for open inboxes");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn step(&self, context: &Context) -> Result<i64, Problem> {
        let mut tx = context.db.begin_as_finder().await?;
        let arrivals = after(&mut tx, self.newest()).await?;
        tx.commit().await?;
        for arrival in &arrivals {
            self.advance(arrival.cursor);
            // Nobody listening is no failure.
            let _ = self.sender.send(*arrival);
        }
        Ok(i64::try_from(arrivals.len()).unwrap_or(PAGE))
    }

    fn advance(&self, to: Cursor) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// The place of the newest message that was handed on.
    #[must_use]
    pub fn newest(&self) -> Cursor {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that comes from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arrival> {
        self.sender.subscribe()
    }
}

async fn newest(tx: &mut Tx) -> Result<Option<Cursor>, Problem> {
    let row = sqlx::query!(
        r#"select xid::text as "xid!", id as "id: MessageId" from notifications.message
           where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, id desc limit 1"#
    );
    let row = row.fetch_optional(&mut **tx).await?;
    row.map(|row| Ok(Cursor { xid: number(&row.xid)?, id: row.id })).transpose()
}

async fn after(tx: &mut Tx, cursor: Cursor) -> Result<Vec<Arrival>, Problem> {
    let rows = sqlx::query!(
        r#"select xid::text as "xid!", id as "id: MessageId", organization_id as "organization: OrganizationId",
                  user_id as "user: UserId"
           from notifications.message
           where (xid, id) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
           order by xid, id limit $3"#,
        cursor.xid.to_string(),
        cursor.id.0,
        PAGE,
    );
    let rows = rows.fetch_all(&mut **tx).await?.into_iter();
    let arrivals = rows.map(|row| {
        let cursor = Cursor { xid: number(&row.xid)?, id: row.id };
        Ok(Arrival { cursor, organization: row.organization, user: row.user })
    });
    arrivals.collect()
}

fn number(xid: &str) -> Result<u64, Problem> {
    xid.parse().map_err(|error| Problem::internal(&error))
}

/// Some of a person's messages after a place, in the order in which they came; what is no message of theirs is left out.
///
/// # Errors
/// When the database fails.
pub async fn messages(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    (after, until): (Cursor, Cursor),
    most: i64,
) -> Result<Vec<(Cursor, NewNotification)>, Problem> {
    let rows = sqlx::query!(
        r#"select xid::text as "xid!", id as "id: MessageId", kind as "kind: Kind",
                  booking_id as "booking_id: BookingId", reference, subject, created_at
           from notifications.message
           where organization_id = $1 and user_id = $2 and letter_id is null
             and (xid, id) > ($3::text::xid8, $4) and (xid, id) <= ($5::text::xid8, $6)
           order by xid, id limit $7"#,
        organization.0,
        user.0,
        after.xid.to_string(),
        after.id.0,
        until.xid.to_string(),
        until.id.0,
        most,
    );
    let rows = rows.fetch_all(&mut **tx).await?.into_iter();
    let messages = rows.map(|row| {
        let told = NewNotification {
            id: row.id,
            kind: row.kind,
            booking_id: row.booking_id,
            reference: row.reference,
            subject: row.subject,
            created_at: row.created_at.to_jiff(),
        };
        Ok((Cursor { xid: number(&row.xid)?, id: row.id }, told))
    });
    messages.collect()
}
