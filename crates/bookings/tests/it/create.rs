//! Creating bookings: what is answered, refused, repeated, and what happens to several resources at once.

use kernel::{OrganizationId, ResourceId, Role};
use serde_json::{Value, json};
use testkit::Person;

use crate::harness::{Bookings, at, room};

fn body(room: ResourceId, from: &str, to: &str) -> Value {
    json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) })
}

#[tokio::test]
async fn a_booking_is_confirmed_and_can_be_read() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let reply =
        app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body(room, "10:00", "11:00")).send().await;
    let reply = reply.expect(201);
    let booking = reply.json();
    assert_eq!((&booking["status"], &booking["version"]), (&json!("confirmed"), &json!(1)));
    assert_eq!(booking["resources"][0]["name"], "Ada");
    let location = reply.header("location");
    let read = app.call_as(&app.ada, "GET", location).send().await.expect(200);
    assert_eq!(read.json(), booking);
    assert_eq!(read.header("etag"), "\"1\"");
    app.call_as(&app.ada, "GET", location).header("if-none-match", "\"1\"").send().await.expect(304);
    assert_eq!(app.event_types().await, ["booking.confirmed"]);
}

#[tokio::test]
async fn who_may_not_see_a_booking_finds_none() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let path = format!("/api/v1/bookings/{}", app.book(room, "10:00", "11:00").await["id"].as_str().unwrap());
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    for person in [&app.bob, &stranger] {
        app.call_as(person, "GET", &path).send().await.problem(404, "not_found");
        app.call_as(person, "GET", &format!("{path}/history")).send().await.problem(404, "not_found");
        let cancel = app.call_as(person, "POST", &format!("{path}/cancel")).json(json!({}));
        cancel.send().await.problem(404, "not_found");
        let list = app.call_as(person, "GET", "/api/v1/bookings").send().await.expect(200).json();
        assert_eq!(list["items"], json!([]));
    }
    app.call_as(&app.manager, "GET", &path).send().await.expect(200);
    app.call("GET", &path).send().await.problem(401, "token_required");
}

#[tokio::test]
async fn a_rival_is_named_and_alternatives_are_offered() {
    let app = Bookings::start().await;
    let (small, taken, big) =
        (app.room("Small", 4).await, app.room("Taken", 8).await, app.room("Big", 20).await);
    let booking = app.book(taken, "10:00", "11:00").await;
    let request = body(taken, "10:30", "11:30");
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&request).send().await;
    let problem = reply.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["starts_at"], at("10:00"));
    assert_eq!(problem["conflicts"][0]["resource_name"], "Taken");
    assert!(problem["conflicts"][0].get("user_id").is_none(), "Bob may not learn whose it is");
    let alternatives = problem["alternatives"].as_array().unwrap();
    let kinds: Vec<_> = alternatives.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["other_time", "other_time", "other_resource", "shortened"]);
    assert_eq!(alternatives[0]["starts_at"], at("11:00"), "the nearest time first");
    assert_eq!(alternatives[1]["starts_at"], at("09:00"));
    assert_eq!(alternatives[2]["resources"][0]["resource_id"], json!(big), "{small} is too small");
    assert_eq!(alternatives[3]["starts_at"], at("11:00"));

    // What is offered is free: every alternative can be booked.
    let free = &alternatives[2];
    let again = json!({ "resource_id": big, "starts_at": free["starts_at"], "ends_at": free["ends_at"] });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(again).send().await.expect(201);
    let reply = app.call_as(&app.manager, "POST", "/api/v1/bookings").json(&request).send().await;
    assert_eq!(reply.problem(409, "slot_taken")["conflicts"][0]["booking_id"], booking["id"]);
    assert_eq!(app.event_types().await, ["booking.confirmed"], "a refusal writes nothing");
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_written() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let long: String = "x".repeat(201);
    let many: Vec<_> = (0..1000).map(|_| json!({ "resource_id": ResourceId::mint() })).collect();
    let cases = [
        (body(room, "11:00", "11:00"), "invalid_input", "/ends_at"),
        (body(room, "11:00", "10:00"), "invalid_input", "/ends_at"),
        (
            json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": "9999-01-01T00:00:00Z" }),
            "invalid_input",
            "/ends_at",
        ),
        (
            json!({ "resource_id": room, "starts_at": "2026-03-02T10:00:00", "ends_at": at("11:00") }),
            "invalid_input",
            "/starts_at",
        ),
        (
            json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "owner": 1 }),
            "invalid_input",
            "/owner",
        ),
        (
            json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "title": long }),
            "invalid_input",
            "/title",
        ),
        (
            json!({ "resources": many, "starts_at": at("10:00"), "ends_at": at("11:00") }),
            "invalid_input",
            "/resources",
        ),
        (json!({ "starts_at": at("10:00"), "ends_at": at("11:00") }), "invalid_input", "/resource_id"),
        (
            json!({ "resources": [{ "resource_id": room }, { "resource_id": room }], "starts_at": at("10:00"), "ends_at": at("11:00") }),
            "invalid_input",
            "/resources",
        ),
        (
            json!({ "resources": [{ "resource_id": room, "units": 2 }], "starts_at": at("10:00"), "ends_at": at("11:00") }),
            "not_enough_units",
            "",
        ),
        (body(room, "06:00", "06:02"), "policy_violated", ""),
        (
            json!({ "resource_id": room, "starts_at": "9999-12-30T21:50:00Z", "ends_at": "9999-12-30T22:00:00Z" }),
            "policy_violated",
            "",
        ),
        (
            json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "title": "\u{0}" }),
            "invalid_input",
            "",
        ),
    ];
    for (body, code, pointer) in cases {
        let problem =
            app.call_as(&app.ada, "POST", "/api/v1/bookings").json(&body).send().await.problem(422, code);
        assert_eq!(problem["errors"][0]["pointer"].as_str().unwrap_or_default(), pointer, "{problem}");
    }
    let text = app.call_as(&app.ada, "POST", "/api/v1/bookings").body("application/json", "{");
    text.send().await.problem(400, "malformed_json");
    let form = app.call_as(&app.ada, "POST", "/api/v1/bookings").body("text/plain", "{}");
    form.send().await.problem(415, "unsupported_media_type");
    let list = app.call_as(&app.manager, "GET", "/api/v1/bookings").send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn every_broken_rule_is_told_at_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let reply =
        app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body(room, "06:00", "06:02")).send().await;
    let problem = reply.problem(422, "policy_violated");
    let rules: Vec<_> = problem["broken"].as_array().unwrap().iter().map(|broken| &broken["rule"]).collect();
    assert_eq!(rules, ["min_duration", "lead_time"]);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let send = async |person: &Person, body: Value| {
        let call = app.call_as(person, "POST", "/api/v1/bookings").header("idempotency-key", "k1");
        call.json(body).send().await
    };
    let first = send(&app.ada, body(room, "10:00", "11:00")).await.expect(201);
    let second = send(&app.ada, body(room, "10:00", "11:00")).await.expect(201);
    assert_eq!((first.json(), first.header("location")), (second.json(), second.header("location")));
    send(&app.ada, body(room, "12:00", "13:00")).await.problem(422, "idempotency_key_reused");
    send(&app.bob, body(room, "12:00", "13:00")).await.expect(201);
    app.clock.advance(jiff::SignedDuration::from_hours(25));
    send(&app.ada, body(room, "10:00", "11:00")).await.problem(422, "policy_violated");
    assert_eq!(app.event_types().await, ["booking.confirmed", "booking.confirmed"]);
}

#[tokio::test]
async fn only_managers_book_for_others() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let mut request = body(room, "10:00", "11:00");
    request["on_behalf_of"] = json!(app.ada.user);
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&request).send().await;
    reply.problem(403, "permission_required");
    let reply = app.call_as(&app.manager, "POST", "/api/v1/bookings").json(&request).send().await.expect(201);
    assert_eq!(reply.json()["user_id"], json!(app.ada.user));
    let events = app.events().await;
    assert_eq!((events[0].actorid, events[0].onbehalfof), (Some(app.manager.user), Some(app.ada.user)));
}

#[tokio::test]
async fn several_resources_are_booked_all_or_none() {
    let app = Bookings::start().await;
    let (first, second) = (app.room("First", 8).await, app.room("Second", 8).await);
    app.book(second, "10:00", "11:00").await;
    let both = |from, to| {
        let resources = json!([{ "resource_id": first }, { "resource_id": second }]);
        json!({ "resources": resources, "starts_at": at(from), "ends_at": at(to) })
    };
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(both("10:30", "11:30")).send().await;
    let problem = reply.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"].as_array().unwrap().len(), 1);
    assert_eq!(problem["alternatives"][0]["starts_at"], at("11:00"));
    app.book(first, "10:30", "11:30").await;
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(both("11:30", "12:00")).send().await.expect(201);
    assert_eq!(app.event_types().await, ["booking.confirmed"]);
}

#[tokio::test]
async fn a_pool_lends_each_unit_once() {
    let app = Bookings::start().await;
    let laptops = app.tell(contracts::resources::Resource { units: 3, ..room("Laptops", 1) }).await;
    let take = |units: i32| json!({ "resources": [{ "resource_id": laptops, "units": units }], "starts_at": at("10:00"), "ends_at": at("11:00") });
    app.call_as(&app.ada, "POST", "/api/v1/bookings").json(take(2)).send().await.expect(201);
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(take(2)).send().await.problem(409, "slot_taken");
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(take(1)).send().await.expect(201);
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(take(1)).send().await.problem(409, "slot_taken");
    assert_eq!(app.event_types().await.len(), 2);
}

#[tokio::test]
async fn a_whole_and_its_parts_exclude_each_other() {
    let app = Bookings::start().await;
    let (left, right) = (app.room("Left", 40).await, app.room("Right", 40).await);
    let hall =
        app.tell(contracts::resources::Resource { parts: [left, right].into(), ..room("Hall", 80) }).await;
    app.book(left, "10:00", "11:00").await;
    let reply =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body(hall, "10:30", "12:00")).send().await;
    let problem = reply.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["resource_name"], "Left");
    app.book(hall, "11:00", "12:00").await;
    for part in [left, right] {
        let reply =
            app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body(part, "11:30", "12:30")).send().await;
        reply.problem(409, "slot_taken");
    }
}

#[tokio::test]
async fn nothing_is_booked_by_or_for_a_closed_account() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "14:00", "15:00").await;
    app.close_account(&app.bob).await;
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.problem(403, "account_closed");
    app.call_as(&app.bob, "POST", "/api/v1/waitlist").json(&body).send().await.problem(403, "account_closed");
    let mut for_bob = body.clone();
    for_bob["on_behalf_of"] = json!(app.bob.user);
    let call = app.call_as(&app.manager, "POST", "/api/v1/bookings").json(for_bob);
    let problem = call.send().await.problem(422, "invalid_input");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/on_behalf_of"), &json!("account_closed"))
    );
    let path = format!("/api/v1/bookings/{}/transfer", booking["id"].as_str().unwrap());
    let to_bob = json!({ "user_id": app.bob.user });
    let problem =
        app.call_as(&app.ada, "POST", &path).json(to_bob).send().await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "account_closed");
    app.events().await;
}
