//! The service under test, the peers it asks, and the events it hears.
#![expect(
    clippy::disallowed_types,
    reason = "servers of the test's own, that speak the other services' contracts"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use contracts::bookings::{BookedResource, Booking, BookingDetails, BookingStatus};
use contracts::users::{Branding, Contact, Letter, ResetLink};
use jiff::SignedDuration;
use kernel::{
    BookingId, Event, EventId, LetterId, OrganizationId, PasswordResetId, ResourceId, Role, Slot, UserId,
};
use notifications::jobs::deliver::{Queue, deliver_due};
use notifications::on::Listener;
use notifications::{App, Config};
use platform::config::Secret;
use platform::events::{Envelope, Handle as _};
use serde_json::{Value, json};
use testkit::{Person, TestApp};

/// What the played user and booking services know, and whether they answer.
#[derive(Debug, Default)]
pub struct Known {
    pub contacts: HashMap<UserId, Contact>,
    pub titles: HashMap<BookingId, String>,
    pub letters: HashMap<LetterId, Letter>,
    pub down: bool,
    /// Links that set a new password, by request; each answer has another token.
    pub resets: HashMap<PasswordResetId, u32>,
    /// Events of the played feed, by service.
    pub feed: Vec<Envelope>,
}

pub struct World {
    pub test: TestApp,
    pub app: App,
    pub known: Arc<Mutex<Known>>,
    /// The outbox.
    pub folder: tempfile::TempDir,
}

impl World {
    /// With the outbox.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With a mail server.
    pub async fn with_smtp(url: &str) -> Self {
        Self::with(|config| config.mail_url = Secret::from(url.to_owned())).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let url = serve(peers(known.clone())).await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            users_url: url.clone(),
            bookings_url: url,
            link_url: "https://rooms.example.edu".into(),
            outbox_dir: folder.path().display().to_string(),
            ..Config::default()
        };
        change(&mut config);
        let mut made = None;
        let test = TestApp::start(notifications::schema(), async |context| {
            let app = App::new(context, config).unwrap();
            made = Some(app.clone());
            notifications::routes(app)
        })
        .await;
        Self { test, app: made.unwrap(), known, folder }
    }

    /// Someone whom the user service knows.
    pub fn person(&self, name: &str) -> Person {
        let person = self.test.person(Role::User);
        self.introduce(&person, name);
        person
    }

    pub fn introduce(&self, person: &Person, name: &str) {
        let contact = Contact {
            user_id: person.user,
            email: format!("{}@example.com", person.user).parse().unwrap(),
            name: name.into(),
            locale: "en".into(),
            time_zone: "Europe/Lisbon".into(),
            organization: "Lab".into(),
            branding: Branding { primary: "#006699".into(), accent: "#ffcc00".into() },
        };
        self.known.lock().unwrap().contacts.insert(person.user, contact);
    }

    /// Gives someone another language and zone.
    pub fn moves_to(&self, person: &Person, locale: &str, time_zone: &str) {
        let mut known = self.known.lock().unwrap();
        let contact = known.contacts.get_mut(&person.user).unwrap();
        (contact.locale, contact.time_zone) = (locale.into(), time_zone.into());
    }

    /// Hears an event, as the consumer does.
    pub async fn hear(&self, event: &Envelope) {
        let mut tx = self.test.context.db.begin(event.organizationid).await.unwrap();
        Listener { app: self.app.clone() }.handle(&mut tx, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes the attempts that are due.
    pub async fn deliver(&self) -> usize {
        deliver_due(&self.app, Queue::Mails).await.unwrap()
    }

    /// Makes the attempts at pushes that are due.
    pub async fn push(&self) -> usize {
        deliver_due(&self.app, Queue::Pushes).await.unwrap()
    }

    /// Makes the attempts at short messages that are due.
    pub async fn text(&self) -> usize {
        deliver_due(&self.app, Queue::Texts).await.unwrap()
    }

    /// Lets time pass until the next attempt of anything is due.
    pub fn wait_for_retry(&self) {
        self.test.clock.advance(SignedDuration::from_hours(24));
    }

    /// What someone sees of their messages.
    pub async fn notifications(&self, person: &Person) -> Vec<Value> {
        let list = self.test.call_as(person, "GET", "/api/v1/notifications").send().await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    }
}

/// A booking of someone, Monday 14:00 to 15:30 in Lisbon.
pub fn booking(person: &Person) -> Booking {
    let slot =
        Slot::new("2026-03-02T14:00:00Z".parse().unwrap(), "2026-03-02T15:30:00Z".parse().unwrap()).unwrap();
    let room = BookedResource {
        resource_id: ResourceId::mint(),
        name: "Blue Room".into(),
        units: 1,
        time_zone: "Europe/Lisbon".into(),
        location_names: vec!["Campus".into(), "Main building".into()],
    };
    Booking {
        id: BookingId::mint(),
        reference: "R7K2-M9QD".into(),
        version: 1,
        status: BookingStatus::Confirmed,
        user_id: person.user,
        slot,
        resources: vec![room],
        expires_at: None,
        attendees: None,
        price: None,
        created_at: None,
        checked_in_at: None,
        released_at: None,
        guest_user_ids: Vec::new(),
        guest_count: 0,
        waitlist_entry_id: None,
        approver_ids: Vec::new(),
    }
}

/// An event as a feed carries it.
pub fn envelope<E: Event>(organization: OrganizationId, event: &E) -> Envelope {
    Envelope {
        specversion: "1.0".into(),
        id: EventId::mint(),
        source: "/bookings".into(),
        kind: E::TYPE.into(),
        subject: event.stream_id(),
        time: "2026-03-01T09:00:00Z".parse().unwrap(),
        datacontenttype: "application/json".into(),
        organizationid: organization,
        streamversion: 1,
        actorid: None,
        onbehalfof: None,
        correlationid: "the-request".into(),
        traceparent: None,
        cursor: "1-1".into(),
        data: serde_json::to_value(event).unwrap(),
    }
}

/// Serves a router on a free port, for as long as the test runs.
pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

type Shared = Arc<Mutex<Known>>;

/// The published contracts of the user and the booking service.
fn peers(known: Shared) -> Router {
    Router::new()
        .route("/internal/organizations/{organization}/users/{user}/contact", get(contact))
        .route("/internal/organizations/{organization}/bookings/{booking}", get(details))
        .route("/internal/organizations/{organization}/letters/{letter}/write", post(letter))
        .route("/internal/organizations/{organization}/password-resets/{reset}/link", post(link))
        .route("/internal/events", get(feed))
        .with_state(known)
}

async fn contact(
    State(known): State<Shared>,
    headers: HeaderMap,
    path: Path<(OrganizationId, UserId)>,
) -> Response {
    assert!(headers.contains_key("authorization"));
    let known = known.lock().unwrap();
    match known.contacts.get(&path.1) {
        _ if known.down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(contact) => axum::Json(contact).into_response(),
        None => (StatusCode::NOT_FOUND, axum::Json(json!({ "code": "not_found" }))).into_response(),
    }
}

async fn letter(State(known): State<Shared>, path: Path<(OrganizationId, LetterId)>) -> Response {
    match known.lock().unwrap().letters.get(&path.1) {
        Some(letter) => axum::Json(letter).into_response(),
        None => (StatusCode::NOT_FOUND, axum::Json(json!({ "code": "not_found" }))).into_response(),
    }
}

async fn link(State(known): State<Shared>, path: Path<(OrganizationId, PasswordResetId)>) -> Response {
    let mut known = known.lock().unwrap();
    let Some(count) = known.resets.get_mut(&path.1) else {
        return (StatusCode::NOT_FOUND, axum::Json(json!({ "code": "not_found" }))).into_response();
    };
    *count += 1;
    let token = format!("token-{count}");
    let expires_at = "2026-03-02T09:00:00Z".parse().unwrap();
    axum::Json(ResetLink { token, expires_at }).into_response()
}

async fn details(
    State(known): State<Shared>,
    path: Path<(OrganizationId, BookingId)>,
) -> axum::Json<BookingDetails> {
    let title = known.lock().unwrap().titles.get(&path.1).cloned();
    axum::Json(BookingDetails { id: path.1, title, guests: Vec::new() })
}

/// The feed once: afterwards it is empty.
async fn feed(State(known): State<Shared>) -> axum::Json<Vec<Envelope>> {
    axum::Json(std::mem::take(&mut known.lock().unwrap().feed))
}
