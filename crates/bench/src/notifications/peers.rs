//! The other services, as far as the notification service asks them: they answer from memory, so that what is measured is
//! its own work; and an integrator's address for webhooks.
#![expect(
    clippy::disallowed_types,
    reason = "servers of the benchmark's own, that speak the other services' contracts"
)]

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use contracts::bookings::{BookedResource, Booking, BookingConfirmed, BookingDetails, BookingStatus};
use contracts::users::{Branding, Contact};
use jiff::SignedDuration;
use kernel::{
    BookingId, Clock as _, Event as _, EventId, OrganizationId, ResourceId, Slot, SystemClock, UserId,
};
use platform::events::Envelope;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Outcome;

/// How long a reader of the feed waits at most.
const WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Said {
    feed: Vec<Envelope>,
    told: HashMap<Uuid, Instant>,
}

/// What they say, and have been told.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    said: Arc<Mutex<Said>>,
    more: Arc<Notify>,
}

impl Peers {
    /// Starts them on a free port, which it gives.
    pub async fn start(&self) -> Outcome<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let router = Router::new()
            .route("/internal/organizations/{organization}/users/{user}/contact", get(contact))
            .route("/internal/organizations/{organization}/bookings/{booking}", get(details))
            // Of bookings; the feed of users says nothing.
            .route("/bookings/internal/organizations/{organization}/bookings/{booking}", get(details))
            .route("/bookings/internal/events", get(feed))
            .route("/internal/events", get(nothing))
            .route("/hook", post(hook))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(port)
    }

    /// Says that somebody's booking stands; which one.
    pub fn confirm(&self, organization: OrganizationId, user: UserId) -> Outcome<BookingId> {
        let booking = booking(user)?;
        let (id, event) = (booking.id, BookingConfirmed { before: None, booking, reason: None });
        self.with(|said| {
            let cursor = (said.feed.len() + 1).to_string();
            said.feed.push(envelope(organization, cursor, &event));
        });
        self.more.notify_waiters();
        Ok(id)
    }

    /// When the integrator was told of a booking.
    pub fn told(&self, booking: BookingId) -> Option<Instant> {
        self.with(|said| said.told.get(&booking.0).copied())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Said) -> T) -> T {
        work(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn after(&self, cursor: usize) -> Vec<Envelope> {
        self.with(|said| said.feed.iter().skip(cursor).take(500).cloned().collect())
    }
}

/// A booking of an hour, in a month.
fn booking(user: UserId) -> Outcome<Booking> {
    let starts_at = SystemClock.now() + SignedDuration::from_hours(24 * 30);
    let room = BookedResource {
        resource_id: ResourceId::mint(),
        name: "Meeting room 4.12".into(),
        units: 1,
        time_zone: "Europe/Lisbon".into(),
        location_names: vec!["Campus".into(), "Main building".into(), "Floor 4".into()],
    };
    Ok(Booking {
        id: BookingId::mint(),
        reference: "R7K2-M9QD".into(),
        version: 1,
        status: BookingStatus::Confirmed,
        user_id: user,
        slot: Slot::new(starts_at, starts_at + SignedDuration::from_hours(1))?,
        resources: vec![room],
        expires_at: None,
        attendees: None,
        price: None,
        created_at: Some(SystemClock.now()),
        checked_in_at: None,
        released_at: None,
        guest_user_ids: Vec::new(),
        guest_count: 0,
        waitlist_entry_id: None,
        approver_ids: Vec::new(),
    })
}

fn envelope(organization: OrganizationId, cursor: String, event: &BookingConfirmed) -> Envelope {
    Envelope {
        specversion: "1.0".into(),
        id: EventId::mint(),
        source: "/bookings".into(),
        kind: BookingConfirmed::TYPE.into(),
        subject: event.stream_id(),
        time: SystemClock.now(),
        datacontenttype: "application/json".into(),
        organizationid: organization,
        streamversion: 1,
        actorid: None,
        onbehalfof: None,
        correlationid: "bench".into(),
        traceparent: None,
        cursor,
        data: json!(event),
    }
}

async fn contact(Path((_, user)): Path<(OrganizationId, UserId)>) -> Result<axum::Json<Contact>, StatusCode> {
    let email = format!("{user}@example.com").parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(axum::Json(Contact {
        user_id: user,
        email,
        name: "Ada Lovelace".into(),
        locale: "en".into(),
        time_zone: "Europe/Lisbon".into(),
        organization: "Lab".into(),
        branding: Branding { primary: "#006699".into(), accent: "#ffcc00".into() },
    }))
}

async fn details(Path((_, id)): Path<(OrganizationId, BookingId)>) -> axum::Json<BookingDetails> {
    axum::Json(BookingDetails { id, title: Some("Review".into()), guests: Vec::new() })
}

async fn feed(
    State(peers): State<Peers>,
    Query(ask): Query<HashMap<String, String>>,
) -> axum::Json<Vec<Envelope>> {
    let cursor = ask.get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let mut more = pin!(peers.more.notified());
    // From here on nothing is missed that comes between the look and the wait.
    more.as_mut().enable();
    let events = peers.after(cursor);
    if !events.is_empty() {
        return axum::Json(events);
    }
    let _ = tokio::time::timeout(WAIT, more).await;
    axum::Json(peers.after(cursor))
}

async fn nothing() -> axum::Json<Vec<Envelope>> {
    tokio::time::sleep(WAIT).await;
    axum::Json(Vec::new())
}

async fn hook(State(peers): State<Peers>, axum::Json(body): axum::Json<Value>) -> StatusCode {
    let at = Instant::now();
    if let Some(booking) = body["subject"].as_str().and_then(|subject| subject.parse().ok()) {
        peers.with(|said| {
            said.told.entry(booking).or_insert(at);
        });
    }
    StatusCode::NO_CONTENT
}
