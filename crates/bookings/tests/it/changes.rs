//! Swap, transfer, reinstate, other resources: each through the one write path, each with its race.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

async fn post(app: &Bookings, person: &Person, booking: &Value, verb: &str, body: Value) -> Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(person, "POST", &path).json(body).send().await
}

#[tokio::test]
async fn two_bookings_change_places_or_neither_does() {
    let app = Bookings::start().await;
    let (one, other) = (app.room("One", 8).await, app.room("Other", 8).await);
    let first = app.book(one, "10:00", "11:00").await;
    let second = app.book(other, "14:00", "16:00").await;
    let swapped =
        post(&app, &app.ada, &first, "swap", json!({ "with": second["id"] })).await.expect(200).json();
    assert_eq!(
        (&swapped["resources"][0]["resource_id"], &swapped["starts_at"]),
        (&json!(other), &json!(at("14:00")))
    );
    post(&app, &app.bob, &first, "swap", json!({ "with": second["id"] })).await.problem(404, "not_found");
    post(&app, &app.ada, &first, "swap", json!({ "with": first["id"] })).await.problem(422, "invalid_input");
    assert_eq!(app.event_types().await, ["booking.moved", "booking.moved"]);
    // Many at once, in both directions: no deadlock, and each swap is whole.
    let calls = (0..10).map(|number| {
        let (a, b) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        post(&app, &app.ada, a, "swap", json!({ "with": b["id"] }))
    });
    let replies = join_all(calls).await;
    let swaps = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert!(replies.iter().all(|reply| [200, 503].contains(&reply.status.as_u16())));
    assert_eq!(app.event_types().await.len(), 2 * swaps);
}

#[tokio::test]
async fn a_booking_becomes_somebody_elses() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let to_bob = json!({ "user_id": app.bob.user });
    let given = post(&app, &app.ada, &booking, "transfer", to_bob.clone()).await.expect(200).json();
    assert_eq!(given["user_id"], json!(app.bob.user));
    post(&app, &app.bob, &booking, "transfer", json!({ "user_id": kernel::UserId::mint() }))
        .await
        .problem(503, "service_unavailable");
    post(&app, &app.bob, &booking, "cancel", json!({})).await.expect(200);
    post(&app, &app.bob, &booking, "transfer", to_bob).await.problem(409, "invalid_transition");
    assert_eq!(app.event_types().await, ["booking.transferred", "booking.cancelled"]);
}

#[tokio::test]
async fn a_cancellation_is_taken_back_while_the_time_is_free() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    for _ in 0..4 {
        let booking = app.book(room, "10:00", "11:00").await;
        post(&app, &app.ada, &booking, "cancel", json!({})).await.expect(200);
        let body = json!({ "resource_id": room, "starts_at": at("10:30"), "ends_at": at("11:30") });
        let rival = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send();
        let (back, rival) = tokio::join!(post(&app, &app.ada, &booking, "reinstate", json!({})), rival);
        assert!(back.status.is_success() != rival.status.is_success(), "{} {}", back.status, rival.status);
        let winner = if back.status.is_success() { back } else { rival }.json();
        post(&app, &app.manager, &winner, "cancel", json!({})).await.expect(200);
    }
    app.events().await;
}

#[tokio::test]
async fn all_resources_are_replaced_at_once() {
    let app = Bookings::start().await;
    let (one, two, three) = (app.room("One", 8).await, app.room("Two", 8).await, app.room("Three", 8).await);
    let booking = app.book(one, "10:00", "11:00").await;
    app.book(three, "10:30", "11:30").await;
    let to = |rooms: &[kernel::ResourceId]| {
        let resources: Vec<_> = rooms.iter().map(|id| json!({ "resource_id": id })).collect();
        json!({ "resources": resources })
    };
    post(&app, &app.ada, &booking, "move", to(&[two, three])).await.problem(409, "slot_taken");
    let moved = post(&app, &app.ada, &booking, "move", to(&[one, two])).await.expect(200).json();
    assert_eq!(moved["resources"].as_array().unwrap().len(), 2);
    app.events().await;
}

#[tokio::test]
async fn title_and_attendees_change_and_the_seats_count() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
    let patch = async |body: Value, version: &str| {
        app.call_as(&app.ada, "PATCH", &path).header("if-match", version).json(body).send().await
    };
    let changed = patch(json!({ "title": "Retro", "attendees": 5 }), "\"1\"").await.expect(200).json();
    assert_eq!((&changed["title"], &changed["attendees"]), (&json!("Retro"), &json!(5)));
    let problem = patch(json!({ "attendees": 9 }), "\"2\"").await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "seats");
    patch(json!({ "attendees": 3 }), "\"1\"").await.problem(412, "stale_version");
    assert_eq!(app.event_types().await, ["booking.changed"]);
}
