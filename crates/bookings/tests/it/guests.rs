//! Guests: seen by whom they concern, kept out of events.

use kernel::ResourceId;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

async fn invite(app: &Bookings, room: ResourceId, guests: Value) -> Reply {
    let body =
        json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "guests": guests });
    app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body).send().await
}

async fn read(app: &Bookings, person: &Person, booking: &Value) -> Reply {
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    app.call_as(person, "GET", &path).send().await
}

#[tokio::test]
async fn guests_see_the_booking_and_cannot_change_it() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let guests = json!([{ "user_id": app.bob.user }, { "email": "grace@example.com", "name": "Grace" }]);
    let booking = invite(&app, room, guests).await.expect(201).json();
    assert_eq!(booking["guests"][0]["user_id"], json!(app.bob.user));
    let seen = read(&app, &app.bob, &booking).await.expect(200).json();
    assert_eq!(seen["guests"][1]["email"], "grace@example.com");
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    let cancel = app.call_as(&app.bob, "POST", &format!("{path}/cancel")).json(json!({}));
    cancel.send().await.problem(404, "not_found");
    let patch =
        app.call_as(&app.bob, "PATCH", &path).header("if-match", "\"1\"").json(json!({ "title": "x" }));
    patch.send().await.problem(404, "not_found");
    let list = async |person: &Person, query: &str| {
        let reply = app.call_as(person, "GET", &format!("/api/v1/bookings{query}")).send().await;
        reply.expect(200).json()["items"].as_array().unwrap().len()
    };
    assert_eq!((list(&app.bob, "?guest=me").await, list(&app.bob, "").await), (1, 0));
    assert_eq!((list(&app.ada, "?guest=me").await, list(&app.manager, "?guest=me").await), (0, 0));
    let other = app.person(kernel::Role::User);
    read(&app, &other, &booking).await.problem(404, "not_found");
    // Ids and a number, no names: the rest is asked for.
    let event = app.events().await.pop().unwrap();
    assert_eq!(event.data["booking"]["guest_user_ids"], json!([app.bob.user]));
    assert_eq!(event.data["booking"]["guest_count"], 2);
    assert!(!event.data.to_string().contains("grace"));
    let details =
        format!("/internal/organizations/{}/bookings/{}", app.organization, booking["id"].as_str().unwrap());
    let details = app.call_internally("GET", &details).send().await.expect(200).json();
    assert_eq!(details["guests"][1]["name"], "Grace");
}

#[tokio::test]
async fn guests_are_changed_as_a_whole() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = invite(&app, room, json!([{ "user_id": app.bob.user }])).await.expect(201).json();
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    let patch = async |body: Value, version: &str| {
        app.call_as(&app.ada, "PATCH", &path).header("if-match", version).json(body).send().await
    };
    let titled = patch(json!({ "title": "Talk" }), "\"1\"").await.expect(200).json();
    assert_eq!(titled["guests"].as_array().unwrap().len(), 1, "what is absent stays");
    let none = patch(json!({ "guests": [] }), "\"2\"").await.expect(200).json();
    assert_eq!(none["guests"], json!([]));
    read(&app, &app.bob, &booking).await.problem(404, "not_found");
    app.events().await;
}

#[tokio::test]
async fn guests_that_are_none_are_refused() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let mail = json!({ "email": "grace@example.com" });
    for (guests, code) in [
        (json!([{}]), "one_of"),
        (json!([{ "user_id": app.bob.user, "email": "grace@example.com" }]), "one_of"),
        (json!([mail, { "email": "Grace@Example.com" }]), "repeated"),
        (json!([{ "email": "nobody" }]), "invalid_value"),
        (json!([{ "email": "grace@example.com", "phone": "1" }]), "unknown_field"),
    ] {
        let problem = invite(&app, room, guests).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let many: Vec<_> = (0..201).map(|number| json!({ "email": format!("g{number}@example.com") })).collect();
    invite(&app, room, json!(many)).await.problem(422, "invalid_input");
    assert_eq!(app.events().await.len(), 0);
}
