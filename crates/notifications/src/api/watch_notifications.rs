//! `GET /api/v1/notifications/live`: the caller's messages as they come (server-sent events).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::HeaderMap;
use kernel::role::NotificationsOwn;
use kernel::{Kind, OrganizationId, UserId};
use platform::auth::Can;
use platform::http::Problem;
use platform::http::seats::Seat;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::App;
use crate::inbox::{Arrival, Cursor, NewNotification};
use crate::store::inbox::messages;

/// How often a comment shows that the connection is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Messages that who comes back is told at most; who missed more loads the list anew.
const MOST_MISSED: i64 = 200;

/// An inbox that is open.
struct Inbox {
    app: App,
    organization: OrganizationId,
    user: UserId,
    first: Option<Event>,
    /// All up to here was told.
    after: Cursor,
    ready: VecDeque<(Cursor, NewNotification)>,
    receiver: Receiver<Arrival>,
    ends_at: Instant,
    dropped: bool,
    _seat: Seat,
}

impl Inbox {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if let Some(first) = self.first.take() {
            return Some((Ok(first), self));
        }
        loop {
            if self.dropped {
                return None;
            }
            if let Some((cursor, message)) = self.ready.pop_front() {
                self.after = cursor;
                let event = Event::default().event("notification").id(cursor.to_string());
                return Some((Ok(event.json_data(&message).ok()?), self));
            }
            let arrival = tokio::select! {
                biased;
                () = self.app.context.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(self.ends_at) => return None,
                arrival = self.receiver.recv() => arrival,
            };
            let is_theirs =
                |arrival: &Arrival| arrival.user == self.user && arrival.organization == self.organization;
            match arrival {
                Ok(arrival) if arrival.cursor > self.after && is_theirs(&arrival) => {
                    match self.load(arrival.cursor).await {
                        Ok(ready) => self.ready = ready,
                        Err(problem) => {
                            tracing::warn!(code = problem.code, "an open inbox could not be told");
                            return Some((Ok(self.reset()), self));
                        }
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some((Ok(self.reset()), self)),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// The end, without an id: who comes back resumes from the last message that arrived.
    fn reset(&mut self) -> Event {
        self.dropped = true;
        Event::default().event("reset").data("{}")
    }

    async fn load(&self, until: Cursor) -> Result<VecDeque<(Cursor, NewNotification)>, Problem> {
        let mut tx = self.app.context.db.begin(self.organization).await?;
        let window = (self.after, until);
        let found = messages(&mut tx, self.organization, self.user, window, MOST_MISSED + 1).await?;
        tx.commit().await?;
        Ok(found.into())
    }
}

/// Tells the caller's messages as they come.
///
/// # Errors
/// When `Last-Event-ID` is none of ours, too many streams are open, or the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notifications/live",
    operation_id = "watch_notifications",
    tag = "notifications",
    summary = "Follow my notifications as they come",
    description = "Server-sent events. The first is `ready`; or `reset` when more than 200 messages came since `Last-Event-ID`: load the list anew, then go on. Then a `notification` for each message, with its id for `Last-Event-ID` and the message as data. A comment comes every 15 seconds. Who is too far behind gets `reset`, and the end. It also ends when the access token expires: come back with a new one and `Last-Event-ID`. At most 10 of a user and 1000 of a process are open.",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that arrived: what came since is told first")
    ),
    responses(
        (status = 200, description = "The messages", body = String, content_type = "text/event-stream"),
        (status = 400, description = "invalid_cursor"),
        (status = 403, description = "permission_required"),
        (status = 429, description = "too_many_streams"),
        (status = 503, description = "streams_exhausted, database_unavailable")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn watch_notifications(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok())) {
        Some(None) => {
            let detail = "Last-Event-ID is none that we gave.";
            return Err(Problem::new(Kind::Malformed, "invalid_cursor", detail));
        }
        given => given.flatten(),
    };
    let seat = app.inbox.seats.take(actor.user)?;
    app.inbox.start(&app.context).await?;
    // First what comes, then what came: nothing falls between.
    let receiver = app.inbox.subscribe();
    let newest = app.inbox.newest();
    let left = actor.expires_at.duration_since(app.context.clock.now());
    let mut inbox = Inbox {
        organization: actor.organization,
        user: actor.user,
        first: None,
        after: last.unwrap_or(newest),
        ready: VecDeque::new(),
        receiver,
        ends_at: Instant::now() + Duration::try_from(left).unwrap_or_default(),
        dropped: false,
        _seat: seat,
        app: app.clone(),
    };
    inbox.ready = inbox.load(newest).await?;
    let mut kind = "ready";
    if i64::try_from(inbox.ready.len()).is_ok_and(|count| count > MOST_MISSED) {
        (kind, inbox.after) = ("reset", newest);
        inbox.ready.clear();
    }
    inbox.first = Some(Event::default().event(kind).id(inbox.after.to_string()).data("{}"));
    let told = Sse::new(stream::unfold(inbox, Inbox::next));
    Ok(told.keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}
