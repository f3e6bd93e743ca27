//! Moving bookings: other times, other resources, longer, shorter.

use contracts::rules::Scope;
use serde_json::{Value, json};
use testkit::Reply;

use crate::harness::{Bookings, at};

async fn relocate(app: &Bookings, booking: &Value, body: Value) -> Reply {
    let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
    app.call_as(&app.ada, "POST", &path).json(body).send().await
}

#[tokio::test]
async fn a_booking_moves_and_frees_what_it_had() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let moved = relocate(&app, &booking, json!({ "starts_at": at("10:30") })).await.expect(200);
    assert_eq!(
        (moved.json()["ends_at"].as_str().unwrap(), moved.header("etag")),
        (at("11:30").as_str(), "\"2\"")
    );
    let event = &app.events().await[0];
    assert_eq!(event.data["before"]["slot"]["starts_at"], at("10:00"));
    assert_eq!(event.data["booking"]["slot"]["starts_at"], at("10:30"));
    app.book(room, "10:00", "10:30").await;
    let problem =
        relocate(&app, &booking, json!({ "starts_at": at("10:15") })).await.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["starts_at"], at("10:00"));
    let read = app.call_as(&app.ada, "GET", &format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap()));
    assert_eq!(
        read.send().await.expect(200).json()["starts_at"],
        at("10:30"),
        "a refused move changes nothing"
    );
    app.call_as(&app.bob, "POST", "/api/v1/bookings")
        .json(json!({ "resource_id": room, "starts_at": at("11:00"), "ends_at": at("12:00") }))
        .send()
        .await
        .problem(409, "slot_taken");
}

#[tokio::test]
async fn a_booking_changes_its_room() {
    let app = Bookings::start().await;
    let (old, new) = (app.room("Old", 8).await, app.room("New", 8).await);
    let booking = app.book(old, "10:00", "11:00").await;
    let moved =
        relocate(&app, &booking, json!({ "resource_id": new, "reason": "warmer" })).await.expect(200).json();
    assert_eq!(moved["resources"][0]["name"], "New");
    assert_eq!(app.event_types().await, ["booking.moved"]);
    app.book(old, "10:00", "11:00").await;
    let of_new =
        app.call_as(&app.ada, "GET", &format!("/api/v1/bookings?resource_id={new}")).send().await.expect(200);
    assert_eq!(of_new.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_that_has_begun_can_be_longer_or_shorter() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    app.clock.set(at("10:40").parse().unwrap());
    relocate(&app, &booking, json!({ "ends_at": at("11:30") })).await.expect(200);
    relocate(&app, &booking, json!({ "ends_at": at("10:45") })).await.expect(200);
    let _ =
        relocate(&app, &booking, json!({ "starts_at": at("09:00") })).await.problem(422, "policy_violated");
    assert_eq!(app.event_types().await, ["booking.moved", "booking.moved"]);
}

#[tokio::test]
async fn each_of_two_that_change_places_is_judged_by_the_rules_for_its_owner() {
    let app = Bookings::start().await;
    let group = kernel::GroupId::mint();
    app.account(&app.bob, kernel::Role::User, &[group]).await;
    let (open, members) = (app.room("Open", 8).await, app.room("Members", 8).await);
    let prices = |amount: i64| {
        json!({ "currency": "EUR", "prices": [
        { "name": "Member", "amount": amount, "per": "hour", "groups": [group] },
        { "name": "Guest", "amount": 2 * amount, "per": "hour" } ] })
    };
    for room in [open, members] {
        app.rule(Scope::Resource, room.0, json!({ "prices": prices(1000) })).await;
    }
    let body = json!({ "resource_id": members, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let bobs = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201).json();
    assert_eq!(bobs["quote"]["total"]["amount"], 1000);
    let adas = app.book(open, "10:00", "11:00").await;
    let path = format!("/api/v1/bookings/{}/swap", adas["id"].as_str().unwrap());
    let swap = app.call_as(&app.manager, "POST", &path).json(json!({ "with": bobs["id"] }));
    assert_eq!(swap.send().await.expect(200).json()["quote"]["total"]["amount"], 2000);
    let path = format!("/api/v1/bookings/{}", bobs["id"].as_str().unwrap());
    let bobs = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    assert_eq!(bobs["quote"]["total"]["amount"], 1000, "he is a member wherever he sits");
    app.events().await;
}
