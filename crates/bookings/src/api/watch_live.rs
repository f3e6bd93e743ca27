//! `GET /api/v1/live`: changes as they happen, for screens that stay open (server-sent events).

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use garde::Validate;
use http::HeaderMap;
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{Kind, LocationId, ResourceId, UserId};
use platform::auth::{Actor, Can};
use platform::http::seats::Seat;
use platform::http::{Problem, Query};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::App;
use crate::live::{Change, Cursor, Watch};
use crate::store::live::watched;
use crate::store::sight;

/// Resources in one call at most.
const MOST: usize = 100;
/// How often a comment shows that the connection is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What to watch: all of the organization, or what matches everything that is given.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Ids of resources, separated by commas: at most 100. What they are part of or made of is watched with them.
    #[garde(length(max = 3700))]
    #[param(max_length = 3700)]
    pub resource_id: Option<String>,
    /// All resources in this location and below it, as they are now.
    #[garde(skip)]
    pub location_id: Option<LocationId>,
    /// Bookings of this user; of others only with `bookings.manage`.
    #[garde(skip)]
    pub user_id: Option<UserId>,
}

impl Filter {
    fn resources(&self) -> Result<Vec<ResourceId>, Problem> {
        let Some(text) = &self.resource_id else { return Ok(Vec::new()) };
        let ids: Option<Vec<ResourceId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
        ids.filter(|ids| ids.len() <= MOST).ok_or_else(|| {
            let detail = format!("resource_id is up to {MOST} ids, separated by commas.");
            Problem::new(Kind::Malformed, "invalid_query", detail)
        })
    }

    async fn watch(&self, app: &App, actor: &Actor) -> Result<Watch, Problem> {
        // Of single changes nobody asks whether they are in a remit.
        let sees_all = actor.may::<BookingsManage>() && actor.remit.is_none();
        if self.user_id.is_some_and(|user| user != actor.user) && !sees_all {
            let detail = "To watch others needs the permission bookings.manage.";
            return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
        }
        let ids = self.resources()?;
        let mut watch = Watch {
            organization: actor.organization,
            viewer: actor.user,
            sees_all,
            user: self.user_id,
            resources: None,
            scopes: [].into(),
        };
        if !ids.is_empty() || self.location_id.is_some() {
            let mut tx = app.context.db.begin(actor.organization).await?;
            let watched = watched(&mut tx, actor.organization, &ids, self.location_id).await?;
            (watch.resources, watch.scopes) = (Some(watched.resources), watched.scopes);
        }
        Ok(watch)
    }
}

/// A screen that is open.
struct Screen {
    watch: Watch,
    /// Who looks, where not all resources may be there for them.
    narrow: Option<(App, Actor)>,
    first: Option<Event>,
    missed: VecDeque<Arc<Change>>,
    after: Cursor,
    receiver: Receiver<Arc<Change>>,
    ends_at: Instant,
    shutdown: CancellationToken,
    dropped: bool,
    _seat: Seat,
}

impl Screen {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if let Some(first) = self.first.take() {
            return Some((Ok(first), self));
        }
        loop {
            if self.dropped {
                return None;
            }
            let change = match self.missed.pop_front() {
                Some(change) => Ok(change),
                None => tokio::select! {
                    biased;
                    () = self.shutdown.cancelled() => return None,
                    () = tokio::time::sleep_until(self.ends_at) => return None,
                    change = self.receiver.recv() => change,
                },
            };
            match change {
                Ok(change) if change.cursor > self.after => {
                    self.after = change.cursor;
                    if !self.watch.concerns(&change) {
                        continue;
                    }
                    let Ok(hidden) = self.hidden(&change).await else { return Some(self.reset()) };
                    if let Some(data) = self.watch.data(&change, &hidden) {
                        let event = event(&change.kind, change.cursor);
                        return Some((Ok(event.data(data.to_string())), self));
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(self.reset()),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// The last that is told. Without an id: who comes back resumes from the last event that arrived.
    fn reset(mut self) -> (Result<Event, Infallible>, Self) {
        self.dropped = true;
        (Ok(Event::default().event("reset").data("{}")), self)
    }

    /// The resources of a change that are not there for who looks, by the rules as they are now.
    async fn hidden(&self, change: &Change) -> Result<BTreeSet<ResourceId>, Problem> {
        let Some((app, actor)) = &self.narrow else { return Ok(BTreeSet::new()) };
        if !app.live.hides(&app.context, actor.organization).await? {
            return Ok(BTreeSet::new());
        }
        let mut tx = app.context.db.begin(actor.organization).await?;
        sight::hidden(&mut tx, actor, change.resources()).await
    }
}

fn event(kind: &str, cursor: Cursor) -> Event {
    Event::default().event(kind).id(cursor.to_string())
}

/// Tells changes as they happen. Titles and names stay out; whose a booking is, those learn who may see it.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    operation_id = "watch_live",
    tag = "availability",
    summary = "Follow changes as they happen",
    description = "Server-sent events. The first is `ready`, or `reset` when the time since `Last-Event-ID` is not known any more: load everything anew, then go on. Then one event for each change: its type is that of the change (`booking.confirmed`, `blackout.created`), its id is for `Last-Event-ID`, its data `{booking_id, status, starts_at, ends_at, resource_ids, version}`, with `user_id` for owner and managers, or `{blackout_id, scope, scope_id, starts_at, ends_at}`. A comment comes every 15 seconds. A client that is more than 1024 changes behind gets `reset`, and the end. It also ends when the access token expires: come back with a new one and `Last-Event-ID`. At most 10 of a user and 1000 of a process are open.",
    params(
        Filter,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that arrived: what came since is told first")
    ),
    responses(
        (status = 200, description = "The changes", body = String, content_type = "text/event-stream"),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required"),
        (status = 429, description = "too_many_streams"),
        (status = 503, description = "streams_exhausted, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn watch_live(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok())) {
        Some(None) => {
            let detail = "Last-Event-ID is none that we gave.";
            return Err(Problem::new(Kind::Malformed, "invalid_cursor", detail));
        }
        given => given.flatten(),
    };
    let watch = filter.watch(&app, &actor).await?;
    let seat = app.live.seats.take(actor.user)?;
    app.live.start(&app.context).await?;
    let begun = app.live.subscribe(after);
    let (kind, after) = match (&begun.missed, after) {
        (Some(_), Some(after)) => ("ready", after),
        (Some(_), None) => ("ready", begun.newest),
        (None, _) => ("reset", begun.newest),
    };
    let left = actor.expires_at.duration_since(app.context.clock.now());
    let narrow = (!actor.manages_all()).then(|| (app.clone(), (*actor).clone()));
    let screen = Screen {
        watch,
        narrow,
        first: Some(event(kind, after).data("{}")),
        after,
        missed: begun.missed.unwrap_or_default(),
        receiver: begun.receiver,
        ends_at: Instant::now() + Duration::try_from(left).unwrap_or_default(),
        shutdown: app.context.shutdown.clone(),
        dropped: false,
        _seat: seat,
    };
    let changes = Sse::new(stream::unfold(screen, Screen::next));
    Ok(changes.keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

#[cfg(test)]
mod tests {
    use kernel::OrganizationId;
    use platform::http::seats::Seats;
    use serde_json::json;
    use tokio::sync::broadcast;

    use super::*;

    fn change(position: u32) -> Arc<Change> {
        let cursor: Cursor = format!("1-{position}").parse().unwrap();
        let nil = uuid::Uuid::nil();
        let slot = json!({ "starts_at": "2026-03-02T10:00:00Z", "ends_at": "2026-03-02T11:00:00Z" });
        let envelope = json!({
            "specversion": "1.0", "id": nil, "source": "/bookings", "type": "reservas.blackout.created.v1",
            "subject": nil, "time": "2026-03-02T08:00:00Z", "datacontenttype": "application/json",
            "organizationid": nil, "streamversion": 1, "correlationid": "test", "cursor": cursor.to_string(),
            "data": { "blackout": { "id": nil, "scope": "resource", "scope_id": nil, "slot": slot } },
        });
        Arc::new(Change::of(&serde_json::from_value(envelope).unwrap(), cursor).unwrap())
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_to_reload_and_dropped() {
        let (sender, receiver) = broadcast::channel(1);
        let viewer = UserId::mint();
        let screen = Screen {
            watch: Watch {
                organization: OrganizationId(uuid::Uuid::nil()),
                viewer,
                sees_all: false,
                user: None,
                resources: None,
                scopes: [].into(),
            },
            narrow: None,
            first: None,
            missed: VecDeque::new(),
            after: Cursor::default(),
            receiver,
            ends_at: Instant::now() + Duration::from_secs(600),
            shutdown: CancellationToken::new(),
            dropped: false,
            _seat: Seats::default().take(viewer).unwrap(),
        };
        sender.send(change(1)).unwrap();
        let (told, screen) = screen.next().await.unwrap();
        assert!(format!("{told:?}").contains("blackout.created"), "{told:?}");
        sender.send(change(2)).unwrap();
        sender.send(change(3)).unwrap();
        let (told, screen) = screen.next().await.unwrap();
        assert!(format!("{told:?}").contains("reset"), "{told:?}");
        assert!(screen.next().await.is_none());
    }
}
