//! Blackouts: claims by nobody, that flag what stands there and take what is given up.

use contracts::rules::Scope;
use serde_json::{Value, json};

use crate::harness::{Bookings, at, room};

async fn close(app: &Bookings, scope: &str, id: uuid::Uuid, from: &str, to: &str) -> Value {
    let body = json!({ "scope": scope, "scope_id": id, "starts_at": at(from), "ends_at": at(to), "reason": "Painting" });
    app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(body).send().await.expect(201).json()
}

async fn ask(app: &Bookings, room: kernel::ResourceId, from: &str, to: &str) -> testkit::Reply {
    let body = json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await
}

#[tokio::test]
async fn a_closed_time_cannot_be_booked_and_what_stands_there_is_flagged_not_dropped() {
    let app = Bookings::start().await;
    let ada = app.room("Ada", 8).await;
    let booking = app.book(ada, "10:00", "11:00").await;
    let blackout = close(&app, "location", uuid::Uuid::from_u128(1), "09:00", "12:00").await;
    assert_eq!(blackout["flagged"], json!([booking["id"]]));
    let problem = ask(&app, ada, "11:30", "12:30").await.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["blackout_id"], blackout["id"]);
    // What it gives up is closed as well.
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    let seen = app.call_as(&app.ada, "GET", &path).send().await.expect(200).json();
    assert_eq!(seen["flag"], "Closed: Painting");
    app.call_as(&app.ada, "POST", &format!("{path}/cancel")).json(json!({})).send().await.expect(200);
    ask(&app, ada, "10:00", "11:00").await.problem(409, "slot_taken");
    // So is what comes to the place.
    let new = app.tell(room("New", 4)).await;
    ask(&app, new, "10:00", "11:00").await.problem(409, "slot_taken");
    let path = format!("/api/v1/blackouts/{}", blackout["id"].as_str().unwrap());
    app.call_as(&app.bob, "DELETE", &path).send().await.problem(403, "permission_required");
    app.call_as(&app.manager, "DELETE", &path).send().await.expect(204);
    ask(&app, ada, "10:00", "11:00").await.expect(201);
    ask(&app, new, "10:00", "11:00").await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn a_closed_hall_closes_its_parts_and_two_closures_are_opened_one_by_one() {
    let app = Bookings::start().await;
    let (left, right) = (app.room("Left", 8).await, app.room("Right", 8).await);
    let hall =
        app.tell(contracts::resources::Resource { parts: [left, right].into(), ..room("Hall", 16) }).await;
    let first = close(&app, "resource", hall.0, "09:00", "12:00").await;
    close(&app, "resource", left.0, "11:00", "13:00").await;
    ask(&app, left, "09:00", "10:00").await.problem(409, "slot_taken");
    let path = format!("/api/v1/blackouts/{}", first["id"].as_str().unwrap());
    app.call_as(&app.manager, "DELETE", &path).send().await.expect(204);
    ask(&app, left, "09:00", "11:00").await.expect(201);
    ask(&app, left, "11:00", "12:00").await.problem(409, "slot_taken");
    ask(&app, right, "11:00", "12:00").await.expect(201);
    let listed = app.call_as(&app.bob, "GET", "/api/v1/blackouts").send().await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    app.events().await;
}

#[tokio::test]
async fn closures_and_bookings_at_once_never_share_a_time() {
    let app = Bookings::start().await;
    let rooms: Vec<_> = {
        let mut rooms = Vec::new();
        for number in 0..6 {
            rooms.push(app.room(&format!("Room {number}"), 8).await);
        }
        rooms
    };
    let asks = futures_util::future::join_all(rooms.iter().map(|room| ask(&app, *room, "10:00", "11:00")));
    let closing = close(&app, "organization", app.organization.0, "09:00", "12:00");
    let (replies, blackout) = tokio::join!(asks, closing);
    let booked = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status.as_u16())));
    assert_eq!(blackout["flagged"].as_array().unwrap().len(), booked, "who was first is flagged");
    app.events().await;
}

async fn status(app: &Bookings, booking: &Value) -> Value {
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    app.call_as(&app.manager, "GET", &path).send().await.expect(200).json()["status"].clone()
}

#[tokio::test]
async fn nobody_takes_the_place_of_who_was_let_stay_in_a_closed_time() {
    let app = Bookings::start().await;
    let ada = app.room("Ada", 8).await;
    let (group, chief) = (kernel::GroupId::mint(), app.person(kernel::Role::User));
    app.account(&chief, kernel::Role::User, &[group]).await;
    app.rule(Scope::Group, group.0, json!({ "policy": { "priority": 10 } })).await;
    app.rule(Scope::Resource, ada.0, json!({ "policy": { "preemptible": true } })).await;
    let booking = app.book(ada, "10:00", "11:00").await;
    close(&app, "resource", ada.0, "09:00", "12:00").await;
    let body = json!({ "resource_id": ada, "starts_at": at("10:00"), "ends_at": at("11:00") });
    app.call_as(&chief, "POST", "/api/v1/bookings").json(body).send().await.problem(409, "slot_taken");
    assert_eq!(status(&app, &booking).await, "confirmed", "it keeps its place");
    app.events().await;
}

#[tokio::test]
async fn nobody_changes_places_into_a_closed_time() {
    let app = Bookings::start().await;
    let (ada, bob) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let (stays, other) = (app.book(ada, "10:00", "11:00").await, app.book(bob, "10:00", "11:00").await);
    close(&app, "resource", ada.0, "09:00", "12:00").await;
    let path = format!("/api/v1/bookings/{}/swap", other["id"].as_str().unwrap());
    let swap = app.call_as(&app.ada, "POST", &path).json(json!({ "with": stays["id"] }));
    swap.send().await.problem(409, "slot_taken");
    // To give some of its time up, it need not go.
    let path = format!("/api/v1/bookings/{}/move", stays["id"].as_str().unwrap());
    let shorter = app.call_as(&app.ada, "POST", &path).json(json!({ "ends_at": at("10:30") })).send().await;
    assert_eq!(shorter.expect(200).json()["flag"], "Closed: Painting", "it still stands in a closed time");
    ask(&app, ada, "10:30", "11:00").await.problem(409, "slot_taken");
    app.events().await;
}

#[tokio::test]
async fn more_bookings_than_are_flagged_at_once_are_not_closed_over() {
    let app = Bookings::start().await;
    let mut rooms = Vec::new();
    for number in 0..3 {
        let room = app.room(&format!("Room {number}"), 8).await;
        let series = json!({ "resource_id": room, "starts_at": "2026-03-09T09:00", "duration_minutes": 60,
                             "time_zone": "Europe/Lisbon", "rule": "FREQ=DAILY;COUNT=340" });
        app.call_as(&app.ada, "POST", "/api/v1/series").json(series).send().await.expect(201);
        rooms.push(room);
    }
    let body = json!({ "scope": "location", "scope_id": uuid::Uuid::from_u128(1), "reason": "Painting",
                       "starts_at": "2026-03-08T00:00:00Z", "ends_at": "2027-03-08T00:00:00Z" });
    let call = |body: Value| app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(body).send();
    let problem = call(body.clone()).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "too_many_bookings");
    let mut smaller = body;
    (smaller["scope"], smaller["scope_id"]) = (json!("resource"), json!(rooms[0]));
    let closed = call(smaller).await.expect(201).json();
    assert_eq!(closed["flagged"].as_array().unwrap().len(), 340);
    app.events().await;
}
