//! The last changes, kept in memory by one reader of the feed, and handed to every screen that stays open.
//!
//! **Invariant:** a screen that comes back with a cursor misses nothing, or is told to reload: what it missed and its
//! place in the queue are taken under one lock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{LocationId, OrganizationId, ResourceId};
use platform::db::Tx;
use platform::events::{Envelope, Feed};
use platform::http::Problem;
use platform::http::seats::Seats;
use platform::service::Context;
use tokio::sync::{OnceCell, broadcast};
use tokio::time::Instant;
use uuid::Uuid;

use super::sight;
use crate::live::{Change, Cursor};

/// How many of the last events a screen can resume from.
const KEPT: usize = 4096;
/// How many changes a screen may be behind before it is dropped.
const BEHIND: usize = 1024;
/// How long the reader waits for the next event at a time, and after a failure.
const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);
/// How long it counts for that no rules of an organization say who sees something.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// What all screens of this process share. Nothing is read before the first of them comes.
#[derive(Debug)]
pub struct Hub {
    started: OnceCell<()>,
    window: Mutex<Window>,
    sender: broadcast::Sender<Arc<Change>>,
    /// Organizations in which everybody saw everything, and when that was.
    open: Mutex<BTreeMap<OrganizationId, Instant>>,
    /// The places of screens.
    pub seats: Seats,
}

#[derive(Debug, Default)]
struct Window {
    changes: VecDeque<Arc<Change>>,
    /// Of what came after this nothing is missing.
    complete_after: Cursor,
    newest: Cursor,
}

/// Where a screen begins.
#[derive(Debug)]
pub struct Subscription {
    /// What it missed since its cursor; none when that is too long ago.
    pub missed: Option<VecDeque<Arc<Change>>>,
    /// The place of the newest event.
    pub newest: Cursor,
    /// What comes.
    pub receiver: broadcast::Receiver<Arc<Change>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            started: OnceCell::new(),
            window: Mutex::default(),
            sender: broadcast::Sender::new(BEHIND),
            open: Mutex::default(),
            seats: Seats::default(),
        }
    }
}

impl Hub {
    /// Starts the reader, once, behind the last events.
    ///
    /// # Errors
    /// When the database fails; the next screen tries again.
    pub async fn start(self: &Arc<Self>, context: &Context) -> Result<(), Problem> {
        let start = async || {
            let feed = Feed::start(context.db.clone(), context.internal.clone(), context.shutdown.clone());
            let last = feed.last(i64::try_from(KEPT).unwrap_or(i64::MAX)).await?;
            let oldest = last.first().filter(|_| last.len() >= KEPT).and_then(cursor);
            locked(&self.window).complete_after = oldest.unwrap_or_default();
            self.tell(&last);
            let (hub, shutdown) = (self.clone(), context.shutdown.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = hub.read(&feed) => {}
                }
            });
            Ok(())
        };
        self.started.get_or_try_init(start).await.map(|_| ())
    }

    async fn read(&self, feed: &Feed) {
        loop {
            let newest = locked(&self.window).newest.to_string();
            match feed.wait(Some(&newest), WAIT).await {
                Ok(events) => self.tell(&events),
                Err(problem) => {
                    tracing::warn!(code = problem.code, "the feed for screens could not be read");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn tell(&self, events: &[Envelope]) {
        let mut window = locked(&self.window);
        for event in events {
            let Some(cursor) = cursor(event) else { continue };
            window.newest = cursor;
            let Some(change) = Change::of(event, cursor).map(Arc::new) else { continue };
            if window.changes.len() >= KEPT
                && let Some(forgotten) = window.changes.pop_front()
            {
                window.complete_after = forgotten.cursor;
            }
            window.changes.push_back(change.clone());
            // Nobody listening is no failure.
            let _ = self.sender.send(change);
        }
    }

    /// Whether any rules of an organization say who sees something; that none do is known some seconds later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hides(&self, context: &Context, organization: OrganizationId) -> Result<bool, Problem> {
        let seen = locked(&self.open).get(&organization).copied();
        if seen.is_some_and(|at| at.elapsed() < OPEN_FOR) {
            return Ok(false);
        }
        let mut tx = context.db.begin(organization).await?;
        let hides = sight::hides(&mut tx, organization).await?;
        let mut open = locked(&self.open);
        if hides {
            open.remove(&organization);
        } else {
            open.insert(organization, Instant::now());
        }
        Ok(hides)
    }

    /// All that comes from now on, and what came since a cursor.
    #[must_use]
    pub fn subscribe(&self, after: Option<Cursor>) -> Subscription {
        let window = locked(&self.window);
        let missed = match after {
            None => Some(VecDeque::new()),
            Some(after) if after < window.complete_after => None,
            Some(after) => {
                Some(window.changes.iter().filter(|change| change.cursor > after).cloned().collect())
            }
        };
        Subscription { missed, newest: window.newest, receiver: self.sender.subscribe() }
    }
}

fn cursor(event: &Envelope) -> Option<Cursor> {
    event.cursor.parse().ok()
}

/// Resources with all that they are part of or made of, and what blackouts over them may be laid on.
#[derive(Debug, Default)]
pub struct Watched {
    /// The resources.
    pub resources: BTreeSet<ResourceId>,
    /// Themselves, their types and their places.
    pub scopes: BTreeSet<Uuid>,
}

/// What is to be watched for some resources, and for all in a location.
///
/// # Errors
/// When the database fails.
pub async fn watched(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[ResourceId],
    location: Option<LocationId>,
) -> Result<Watched, Problem> {
    let ids: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with recursive asked as (
               select id, parts from bookings.resource
               where organization_id = $1 and (id = any($2) or $3 = any(location_path))
           ), made_of as (
               select id, parts from asked
               union
               select part.id, part.parts from bookings.resource part
               join made_of on part.organization_id = $1 and part.id = any(made_of.parts)
           ), part_of as (
               select id from asked
               union
               select whole.id from bookings.resource whole
               join part_of on whole.organization_id = $1 and part_of.id = any(whole.parts)
           )
           select id, type_id, location_path from bookings.resource
           where organization_id = $1
             and (id in (select id from made_of) or id in (select id from part_of))"#,
        organization.0,
        &ids,
        location.map(|id| id.0),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut watched =
        Watched { resources: resources.iter().copied().collect(), scopes: ids.into_iter().collect() };
    for row in rows {
        watched.resources.insert(ResourceId(row.id));
        watched.scopes.extend([row.id].into_iter().chain(row.type_id).chain(row.location_path));
    }
    Ok(watched)
}
