//! Who may not see a resource does not come across it: every way to it ends as if it were not there.

use contracts::resources::Resource;
use contracts::rules::Scope;
use kernel::{GroupId, ResourceId, Role};
use serde_json::{Value, json};
use testkit::{EventStream, Person, Reply};

use crate::harness::{Bookings, at, room};

/// A bench that only Ada's group sees, a room for all, and a suite of both.
struct World {
    app: Bookings,
    group: GroupId,
    bench: ResourceId,
    room: ResourceId,
    suite: ResourceId,
}

impl World {
    async fn start() -> Self {
        let app = Bookings::start().await;
        let (hidden, open) = (room("Bench", 2), room("Room", 8));
        let suite = Resource { parts: [hidden.id, open.id].into(), ..room("Suite", 10) };
        for resource in [&hidden, &open, &suite] {
            app.tell(resource.clone()).await;
        }
        let group = GroupId::mint();
        app.account(&app.ada, Role::User, &[group]).await;
        let see = json!({ "policy": { "access": { "see": { "groups": [group] } } } });
        app.rule(Scope::Resource, hidden.id.0, see).await;
        Self { app, group, bench: hidden.id, room: open.id, suite: suite.id }
    }

    async fn get(&self, person: &Person, path: &str) -> Reply {
        self.app.call_as(person, "GET", path).send().await
    }

    async fn post(&self, person: &Person, path: &str, body: Value) -> Reply {
        self.app.call_as(person, "POST", path).json(body).send().await
    }

    fn asked(&self, id: ResourceId) -> Value {
        json!({ "resource_id": id, "starts_at": at("10:00"), "ends_at": at("11:00") })
    }
}

#[tokio::test]
async fn it_is_found_by_no_search_calendar_or_time() {
    let world = World::start().await;
    let app = &world.app;
    let window = format!("from={}&to={}", at("10:00"), at("12:00"));
    for (person, found, status) in
        [(&app.ada, vec!["Bench", "Room", "Suite"], 200), (&app.bob, vec!["Room", "Suite"], 404)]
    {
        let search = world.get(person, &format!("/api/v1/availability?{window}")).await.expect(200).json();
        let names: Vec<_> = search["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, found);
        let calendar = format!("/api/v1/calendar?resource_ids={},{}&{window}", world.bench, world.room);
        let calendar = world.get(person, &calendar).await.expect(200).json();
        assert_eq!(calendar["items"].as_array().unwrap().len(), found.len() - 1);
        for look in ["schedule", "free-busy", "next-free?duration_minutes=60"] {
            world.get(person, &format!("/api/v1/resources/{}/{look}", world.bench)).await.expect(status);
        }
    }
    // Managers see all.
    world.get(&app.manager, &format!("/api/v1/resources/{}/schedule", world.bench)).await.expect(200);
}

#[tokio::test]
async fn it_is_asked_for_in_vain_in_the_words_for_what_is_not_there() {
    let world = World::start().await;
    let app = &world.app;
    let booking = world.post(&app.bob, "/api/v1/bookings", world.asked(world.room)).await.expect(201).json();
    let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
    let local = |id: ResourceId| {
        json!({ "resource_id": id, "rule": "FREQ=DAILY;COUNT=2", "starts_at": "2026-03-02T10:00:00",
                "time_zone": "Europe/Lisbon", "duration_minutes": 60 })
    };
    let replies = [
        world.post(&app.bob, "/api/v1/bookings", world.asked(world.bench)).await,
        world.post(&app.bob, &path, json!({ "resource_id": world.bench })).await,
        world.post(&app.bob, "/api/v1/waitlist", world.asked(world.bench)).await,
        world.post(&app.bob, "/api/v1/series", local(world.bench)).await,
        world.post(&app.bob, "/api/v1/series/preview", local(world.bench)).await,
        world
            .post(&app.bob, "/api/v1/policies/dry-run", json!({ "booking": world.asked(world.bench) }))
            .await,
        // That it is not hidden by rules that somebody tries.
        world
            .post(
                &app.bob,
                "/api/v1/policies/dry-run",
                json!({ "booking": world.asked(world.bench),
                        "rules": { "scope": "resource", "scope_id": world.bench, "rules": {} } }),
            )
            .await,
    ];
    for reply in replies {
        let problem = reply.problem(422, "invalid_input");
        let error = json!({ "pointer": "/resources/0/resource_id", "code": "not_found",
                            "detail": "There is no such resource." });
        assert_eq!(problem["errors"][0], error, "{problem:#}");
    }
    app.book(world.bench, "10:00", "11:00").await;
}

#[tokio::test]
async fn it_is_named_by_no_conflict_alternative_or_closure() {
    let world = World::start().await;
    let app = &world.app;
    app.book(world.bench, "10:00", "11:00").await;
    let problem = world.post(&app.bob, "/api/v1/bookings", world.asked(world.suite)).await;
    let problem = problem.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["resource_id"], Value::Null);
    assert!(!problem.to_string().contains(&world.bench.to_string()), "{problem:#}");
    assert!(!problem.to_string().contains("Bench"), "{problem:#}");
    let room = world.post(&app.bob, "/api/v1/bookings", world.asked(world.room)).await;
    room.expect(201);
    let problem = world.post(&app.ada, "/api/v1/bookings", world.asked(world.room)).await;
    problem.problem(409, "slot_taken");
    let close = json!({ "scope": "resource", "scope_id": world.bench, "reason": "Works",
                        "starts_at": at("12:00"), "ends_at": at("13:00") });
    world.post(&app.manager, "/api/v1/blackouts", close).await.expect(201);
    for (person, closed) in [(&app.ada, 1), (&app.bob, 0)] {
        let closures = world.get(person, "/api/v1/blackouts").await.expect(200).json();
        assert_eq!(closures["items"].as_array().unwrap().len(), closed);
    }
    app.events().await;
}

#[tokio::test]
async fn nobody_hears_of_it_on_a_screen_that_stays_open() {
    let world = World::start().await;
    let app = &world.app;
    let url = format!("{}/api/v1/live", app.serve().await);
    let mut bobs = EventStream::open(app, &app.bob, &url, None).await;
    let mut adas = EventStream::open(app, &app.ada, &url, None).await;
    bobs.expect("ready").await;
    adas.expect("ready").await;
    app.book(world.bench, "10:00", "11:00").await;
    let close = json!({ "scope": "resource", "scope_id": world.bench, "reason": "Works",
                        "starts_at": at("12:00"), "ends_at": at("13:00") });
    world.post(&app.manager, "/api/v1/blackouts", close).await.expect(201);
    app.book(world.room, "10:00", "11:00").await;
    let told = bobs.expect("booking.confirmed").await;
    assert_eq!(told.data["resource_ids"], json!([world.room]), "the first that he hears of");
    assert_eq!(adas.expect("booking.confirmed").await.data["resource_ids"], json!([world.bench]));
    adas.expect("blackout.created").await;
    app.events().await;
}

#[tokio::test]
async fn who_may_not_see_it_is_booked_nothing_by_a_colleague_but_by_a_manager() {
    let world = World::start().await;
    let app = &world.app;
    let mut body = world.asked(world.bench);
    body["on_behalf_of"] = json!(app.bob.user);
    world.post(&app.manager, "/api/v1/bookings", body).await.expect(201);
    // Out of the group, and it is gone.
    app.account(&app.ada, Role::User, &[]).await;
    let reply = world.post(&app.ada, "/api/v1/bookings", world.asked(world.bench)).await;
    assert_eq!(reply.problem(422, "invalid_input")["errors"][0]["code"], "not_found");
    app.account(&app.ada, Role::User, &[world.group]).await;
    app.book(world.bench, "14:00", "15:00").await;
    app.events().await;
}

#[tokio::test]
async fn who_waited_for_what_is_hidden_now_is_offered_nothing() {
    let world = World::start().await;
    let app = &world.app;
    let booking = app.book(world.room, "10:00", "11:00").await;
    world.post(&app.bob, "/api/v1/waitlist", world.asked(world.room)).await.expect(201);
    let see = json!({ "policy": { "access": { "see": { "groups": [world.group] } } } });
    app.rule(Scope::Resource, world.room.0, see).await;
    let cancel = format!("/api/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    world.post(&app.ada, &cancel, json!({})).await.expect(200);
    let waits = world.get(&app.bob, "/api/v1/waitlist").await.expect(200).json();
    assert_eq!(waits["items"][0]["status"], "waiting", "{waits:#}");
    app.events().await;
}
