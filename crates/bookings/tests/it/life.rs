//! The life of a booking: holds, confirmation, cancellation, check-in and check-out, history.

use jiff::SignedDuration;
use kernel::ResourceId;
use serde_json::{Value, json};

use crate::harness::{Bookings, at};

async fn hold(app: &Bookings, room: ResourceId, seconds: i64) -> Value {
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "hold_seconds": seconds });
    app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body).send().await.expect(201).json()
}

async fn step(app: &Bookings, booking: &Value, verb: &str) -> testkit::Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(&app.ada, "POST", &path).json(json!({ "reason": "because" })).send().await
}

#[tokio::test]
async fn a_hold_blocks_until_it_expires_even_if_nothing_runs() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let held = hold(&app, room, 60).await;
    assert_eq!(held["status"], "held");
    let body = json!({ "resource_id": room, "starts_at": at("10:30"), "ends_at": at("11:30") });
    let _ =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.problem(409, "slot_taken");
    app.clock.advance(SignedDuration::from_secs(60));
    step(&app, &held, "confirm").await.problem(409, "hold_expired");
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.expect(201);
    assert_eq!(app.event_types().await, ["booking.held", "booking.expired", "booking.confirmed"]);
    step(&app, &held, "confirm").await.problem(409, "invalid_transition");
}

#[tokio::test]
async fn a_hold_that_was_confirmed_stands() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let held = hold(&app, room, 60).await;
    let confirmed = step(&app, &held, "confirm").await.expect(200).json();
    assert_eq!((&confirmed["status"], &confirmed["expires_at"]), (&json!("confirmed"), &Value::Null));
    app.clock.advance(SignedDuration::from_secs(61));
    let body = json!({ "resource_id": room, "starts_at": at("10:30"), "ends_at": at("11:30") });
    let _ =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.problem(409, "slot_taken");
    assert_eq!(app.event_types().await, ["booking.held", "booking.confirmed"]);
}

#[tokio::test]
async fn the_job_expires_each_hold_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    hold(&app, room, 60).await;
    app.run_jobs().await;
    app.clock.advance(SignedDuration::from_secs(60));
    let runs = (0..4).map(|_| bookings::jobs::run_once(&app.service));
    for run in futures_util::future::join_all(runs).await {
        run.unwrap();
    }
    assert_eq!(app.event_types().await, ["booking.held", "booking.expired"]);
}

#[tokio::test]
async fn a_cancelled_booking_frees_its_time() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let stale = app.call_as(
        &app.ada,
        "POST",
        &format!("/api/v1/bookings/{}/cancel", booking["id"].as_str().unwrap()),
    );
    stale.header("if-match", "\"7\"").json(json!({})).send().await.problem(412, "stale_version");
    assert_eq!(step(&app, &booking, "cancel").await.expect(200).json()["status"], "cancelled");
    let problem = step(&app, &booking, "cancel").await.problem(409, "invalid_transition");
    assert_eq!((&problem["from"], &problem["to"]), (&json!("cancelled"), &json!("cancelled")));
    assert_eq!(app.event_types().await, ["booking.cancelled"]);
    app.book(room, "10:00", "11:00").await;
}

#[tokio::test]
async fn leaving_early_frees_the_rest() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "12:00").await;
    step(&app, &booking, "check-in").await.problem(409, "check_in_closed");
    app.clock.set(at("09:50").parse().unwrap());
    assert_eq!(step(&app, &booking, "check-in").await.expect(200).json()["status"], "checked_in");
    app.clock.set(at("10:30").parse().unwrap());
    assert_eq!(step(&app, &booking, "check-out").await.expect(200).json()["status"], "completed");
    assert_eq!(app.event_types().await, ["booking.checked_in", "booking.completed"]);
    app.book(room, "10:30", "12:00").await;
    let early = json!({ "resource_id": room, "starts_at": at("10:20"), "ends_at": at("10:30") });
    let _ =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(early).send().await.problem(409, "slot_taken");
}

#[tokio::test]
async fn the_history_tells_who_did_what_and_cannot_be_changed_unseen() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    step(&app, &booking, "cancel").await.expect(200);
    assert_eq!(app.event_types().await, ["booking.cancelled"]);
    let path = format!("/api/v1/bookings/{}/history", booking["id"].as_str().unwrap());
    let first = app.call_as(&app.ada, "GET", &format!("{path}?limit=1")).send().await.expect(200).json();
    assert_eq!(first["items"][0]["type"], "reservas.booking.confirmed.v1");
    let next = format!("{path}?cursor={}", first["next_cursor"].as_str().unwrap());
    let rest = app.call_as(&app.ada, "GET", &next).send().await.expect(200).json();
    assert_eq!(rest["items"][0]["reason"], "because");
    assert_eq!(rest["items"][0]["before"]["status"], "confirmed");
    assert_eq!(rest["items"][0]["actor_id"], json!(app.ada.user));
    assert_eq!(rest["next_cursor"], Value::Null);

    let id = booking["id"].as_str().unwrap().parse().unwrap();
    let verify = async || {
        let mut tx = app.context.db.begin(app.organization).await.unwrap();
        platform::events::history::verify(&mut tx, app.organization, id).await.unwrap()
    };
    assert!(verify().await);
    let tamper =
        "update bookings.event set data = data || '{\"reason\": \"another\"}' where stream_version = 2";
    sqlx::query(tamper).execute(&mut app.owner().await).await.unwrap();
    assert!(!verify().await);
    let mut tx = app.context.db.begin(app.organization).await.unwrap();
    let refused = sqlx::query(tamper).execute(&mut *tx).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}

#[tokio::test]
async fn who_leaves_before_the_start_frees_all_of_the_time() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "12:00").await;
    let step = async |verb: &str| {
        let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
        app.call_as(&app.ada, "POST", &path).json(json!({})).send().await
    };
    app.clock.set(at("09:50").parse().unwrap());
    step("check-in").await.expect(200);
    step("check-out").await.expect(200);
    app.events().await;
    app.book(room, "10:00", "12:00").await;
}

#[tokio::test]
async fn what_has_begun_is_not_moved_away_and_what_is_late_neither() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({ "policy": { "cancellation": { "deadline_minutes": 60 } } });
    app.rule(contracts::rules::Scope::Resource, room.0, rules).await;
    let booking = app.book(room, "10:00", "12:00").await;
    let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
    let to = async |body| app.call_as(&app.ada, "POST", &path).json(body).send().await;
    app.clock.set(at("09:30").parse().unwrap());
    to(json!({ "starts_at": at("14:00") })).await.problem(409, "too_late_to_cancel");
    to(json!({ "ends_at": at("11:30") })).await.expect(200);
    app.clock.set(at("10:30").parse().unwrap());
    let path = path.clone();
    let late = app.call_as(&app.manager, "POST", &path).json(json!({ "starts_at": at("14:00") }));
    late.send().await.problem(409, "already_begun");
    to(json!({ "ends_at": at("10:15") })).await.problem(409, "already_over");
    app.events().await;
}
