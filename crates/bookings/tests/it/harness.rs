//! The service under test with a small catalogue, told to it as the resource service would.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use bookings::{App, Config, schema};
use contracts::resources::{Resource, ResourceCreated, ResourceStatus};
use contracts::rules::{Rules, RulesChanged, Scope};
use contracts::users::{Account, UserCreated};
use kernel::{Event, EventId, GroupId, LocationId, ResourceId, ResourceTypeId, Role};
use platform::events::{Envelope, Handle};
use serde_json::{Value, json};
use testkit::{Person, TestApp};

/// The service, and someone who books.
pub struct Bookings {
    pub app: TestApp,
    pub service: App,
    pub ada: Person,
    pub bob: Person,
    pub manager: Person,
    rules: AtomicU32,
}

impl Deref for Bookings {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl Bookings {
    pub async fn start() -> Self {
        // Nobody listens there: what the service does not know, it cannot find out.
        let nowhere = || "http://127.0.0.1:9".to_owned();
        Self::start_with(Config { resources_url: nowhere(), users_url: nowhere(), ..Config::default() }).await
    }

    pub async fn start_with(config: Config) -> Self {
        let mut service = None;
        let app = TestApp::start(schema(), async |context| {
            let app = App::new(context, config);
            service = Some(app.clone());
            bookings::routes(app)
        })
        .await;
        let (ada, bob, manager) = (app.person(Role::User), app.person(Role::User), app.person(Role::Manager));
        let app = Self { app, service: service.unwrap(), ada, bob, manager, rules: AtomicU32::new(0) };
        for (person, role) in [(&app.ada, Role::User), (&app.bob, Role::User), (&app.manager, Role::Manager)]
        {
            app.account(person, role, &[]).await;
        }
        app
    }

    /// Tells the service of a resource.
    pub async fn tell(&self, resource: Resource) -> ResourceId {
        let id = resource.id;
        self.hear(&bookings::on::Catalogue, &ResourceCreated { resource }).await;
        id
    }

    /// Lays rules on something.
    pub async fn rule(&self, scope: Scope, scope_id: uuid::Uuid, rules: Value) {
        let version = i64::from(self.rules.fetch_add(1, Ordering::Relaxed)) + 1;
        let rules = Rules { scope, scope_id, version, rules: serde_json::from_value(rules).unwrap() };
        self.hear(&bookings::on::Catalogue, &RulesChanged { before: None, rules }).await;
    }

    /// Tells the service of somebody and their groups.
    pub async fn account(&self, person: &Person, role: Role, groups: &[GroupId]) {
        let account =
            Account { role, active: true, version: 1, groups: groups.iter().copied().collect(), remit: None };
        let event = UserCreated { user_id: person.user, account };
        self.hear(&bookings::on::People, &event).await;
    }

    /// Tells the service that somebody's account was closed.
    pub async fn close_account(&self, person: &Person) {
        let account = Account { role: Role::User, active: false, version: 2, groups: [].into(), remit: None };
        let event = UserCreated { user_id: person.user, account };
        self.hear(&bookings::on::People, &event).await;
    }

    /// Hears an event as from another service's feed.
    pub async fn hear<E: Event>(&self, listener: &impl Handle, event: &E) {
        let envelope = Envelope {
            specversion: "1.0".into(),
            id: EventId::mint(),
            source: "/test".into(),
            kind: E::TYPE.into(),
            subject: event.stream_id(),
            time: self.now(),
            datacontenttype: "application/json".into(),
            organizationid: self.organization,
            streamversion: 1,
            actorid: None,
            onbehalfof: None,
            correlationid: "test".into(),
            traceparent: None,
            cursor: "1-1".into(),
            data: serde_json::to_value(event).unwrap(),
        };
        let mut tx = self.context.db.begin(self.organization).await.unwrap();
        listener.handle(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Runs the timed jobs once. They leave alone what others have locked, and a refused transaction is rolled back a moment
    /// after its answer: waits for that first.
    pub async fn run_jobs(&self) {
        let locks = sqlx::query("select from bookings.booking for update");
        locks.execute(&mut self.owner().await).await.unwrap();
        bookings::jobs::run_once(&self.service).await.unwrap();
    }

    /// A room with so many seats.
    pub async fn room(&self, name: &str, seats: i32) -> ResourceId {
        self.tell(room(name, seats)).await
    }

    /// Books a room as Ada, today from and to these times.
    pub async fn book(&self, room: ResourceId, from: &str, to: &str) -> Value {
        let body =
            json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to), "title": "Review" });
        let reply = self.call_as(&self.ada, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
        assert!(self.event_types().await.ends_with(&["booking.confirmed".into()]));
        reply.json()
    }
}

/// A time of the day on which the tests' clock stands.
pub fn at(time: &str) -> String {
    format!("2026-03-02T{time}:00Z")
}

pub fn room(name: &str, seats: i32) -> Resource {
    Resource {
        id: ResourceId::mint(),
        version: 1,
        name: name.into(),
        type_id: ResourceTypeId::mint(),
        type_name: "meeting room".into(),
        location_path: vec![LocationId(uuid::Uuid::from_u128(1))],
        location_names: vec!["Campus".into()],
        seats: Some(seats),
        units: 1,
        amenities: ["Projector".to_owned()].into(),
        attributes: serde_json::Map::new(),
        time_zone: "Europe/Lisbon".into(),
        parts: [].into(),
        status: ResourceStatus::Active,
    }
}
