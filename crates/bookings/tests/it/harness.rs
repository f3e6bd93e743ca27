//! The service under test with a small catalogue, told to it as the resource service would.

use std::ops::Deref;
use std::sync::Arc;

use bookings::{App, Config, schema};
use contracts::resources::{Resource, ResourceCreated, ResourceStatus};
use kernel::{Event, EventId, LocationId, ResourceId, ResourceTypeId, Role};
use platform::events::{Envelope, Handle as _};
use serde_json::{Value, json};
use testkit::{Person, TestApp};

/// The service, and someone who books.
pub struct Bookings {
    pub app: TestApp,
    pub service: App,
    pub ada: Person,
    pub bob: Person,
    pub manager: Person,
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
        Self::start_with(Config { resources_url: "http://127.0.0.1:9".into(), ..Config::default() }).await
    }

    pub async fn start_with(config: Config) -> Self {
        let mut service = None;
        let app = TestApp::start(schema(), async |context| {
            let app = App { context, config: Arc::new(config) };
            service = Some(app.clone());
            bookings::routes(app)
        })
        .await;
        let (ada, bob, manager) = (app.person(Role::User), app.person(Role::User), app.person(Role::Manager));
        Self { app, service: service.unwrap(), ada, bob, manager }
    }

    /// Tells the service of a resource.
    pub async fn tell(&self, resource: Resource) -> ResourceId {
        let id = resource.id;
        let event = ResourceCreated { resource };
        let envelope = Envelope {
            specversion: "1.0".into(),
            id: EventId::mint(),
            source: "/resources".into(),
            kind: ResourceCreated::TYPE.into(),
            subject: id.0,
            time: self.now(),
            datacontenttype: "application/json".into(),
            organizationid: self.organization,
            streamversion: 1,
            actorid: None,
            onbehalfof: None,
            correlationid: "test".into(),
            cursor: "1-1".into(),
            data: serde_json::to_value(event).unwrap(),
        };
        let mut tx = self.context.db.begin(self.organization).await.unwrap();
        bookings::on::Catalogue.handle(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
        id
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
