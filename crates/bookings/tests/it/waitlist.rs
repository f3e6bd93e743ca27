//! The waitlist: served in order, in the transaction that frees the time, so that nobody races for it.

use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{ResourceId, Role};
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

async fn wait(app: &Bookings, person: &Person, room: ResourceId, more: Value) -> Value {
    let mut body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.call_as(person, "POST", "/api/v1/waitlist").json(body).send().await.expect(201).json()
}

async fn post(app: &Bookings, person: &Person, id: &Value, verb: &str) -> Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", id.as_str().unwrap());
    app.call_as(person, "POST", &path).json(json!({})).send().await
}

async fn entries(app: &Bookings, person: &Person) -> Vec<Value> {
    let list = app.call_as(person, "GET", "/api/v1/waitlist").send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_waits_first_is_offered_first_and_nobody_else_gets_between() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let (carol, dan) = (app.person(Role::User), app.person(Role::User));
    assert_eq!(wait(&app, &carol, room, json!({})).await["status"], "waiting");
    app.clock.advance(SignedDuration::from_secs(1));
    wait(&app, &dan, room, json!({})).await;
    // Everybody wants it at the moment when it is given up.
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let rivals =
        join_all((0..6).map(|_| app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send()));
    let (cancelled, rivals) = tokio::join!(post(&app, &app.ada, &booking["id"], "cancel"), rivals);
    cancelled.expect(200);
    assert!(rivals.iter().all(|reply| reply.status.as_u16() == 409));
    let offered = entries(&app, &carol).await.remove(0);
    assert_eq!(offered["status"], "offered");
    assert_eq!(entries(&app, &dan).await[0]["status"], "waiting");
    // Not taken in time, it is passed on; the hold need not be ended by a job for that.
    app.clock.advance(SignedDuration::from_mins(15));
    post(&app, &carol, &offered["booking_id"], "confirm").await.problem(409, "hold_expired");
    app.run_jobs().await;
    assert_eq!(entries(&app, &carol).await[0]["status"], "expired");
    let offered = entries(&app, &dan).await.remove(0);
    assert_eq!(offered["status"], "offered");
    post(&app, &dan, &offered["booking_id"], "confirm").await.expect(200);
    assert_eq!(entries(&app, &dan).await[0]["status"], "accepted");
    let types = app.event_types().await;
    assert!(
        types.ends_with(&["waitlist.accepted".into()])
            || types.ends_with(&["booking.confirmed".into(), "waitlist.accepted".into()]),
        "{types:?}"
    );
}

#[tokio::test]
async fn an_expired_hold_in_the_way_of_a_rival_goes_to_who_waits() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let mut held = body.clone();
    held["hold_seconds"] = json!(30);
    app.call_as(&app.ada, "POST", "/api/v1/bookings").json(held).send().await.expect(201);
    let carol = app.person(Role::User);
    wait(&app, &carol, room, json!({})).await;
    app.clock.advance(SignedDuration::from_secs(30));
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.problem(409, "slot_taken");
    // The refusal rolled its part back; whoever ends the hold serves the list. Until the roll-back has arrived at the
    // server the job leaves the hold alone, as one that somebody else is about to end.
    for _ in 0..200 {
        app.run_jobs().await;
        if entries(&app, &carol).await[0]["status"] == "offered" {
            break;
        }
    }
    assert_eq!(entries(&app, &carol).await[0]["status"], "offered");
    app.events().await;
}

#[tokio::test]
async fn a_part_is_offered_to_who_accepts_one_and_what_is_free_at_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "10:20").await;
    let carol = app.person(Role::User);
    let entry = wait(&app, &carol, room, json!({ "accept_minutes": 30 })).await;
    assert_eq!(entry["status"], "offered");
    let path = format!("/api/v1/bookings/{}", entry["booking_id"].as_str().unwrap());
    let hold = app.call_as(&carol, "GET", &path).send().await.expect(200).json();
    assert_eq!((&hold["starts_at"], &hold["ends_at"]), (&json!(at("10:20")), &json!(at("11:00"))));
    let path = format!("/api/v1/waitlist/{}", entry["id"].as_str().unwrap());
    app.call_as(&app.bob, "DELETE", &path).send().await.problem(404, "not_found");
    app.call_as(&carol, "DELETE", &path).send().await.expect(204);
    assert_eq!(entries(&app, &carol).await[0]["status"], "withdrawn");
    app.events().await;
}

#[tokio::test]
async fn waiting_ends_when_its_time_has_come() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    wait(&app, &app.bob, room, json!({})).await;
    app.clock.advance(SignedDuration::from_hours(24));
    app.run_jobs().await;
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "expired");
    app.events().await;
}
