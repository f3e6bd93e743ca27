//! The waitlist: served in order, in the transaction that frees the time, so that nobody races for it.

use contracts::resources::{Resource, ResourceStatus};
use contracts::rules::Scope;
use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{ResourceId, Role};
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at, room};

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

#[tokio::test]
async fn nobody_waits_for_what_could_never_be_offered() {
    let app = Bookings::start().await;
    let ada = app.room("Ada", 8).await;
    app.book(ada, "10:00", "11:00").await;
    let body = json!({ "resource_id": ada, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let join = async |more: Value| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.call_as(&app.bob, "POST", "/api/v1/waitlist").json(body).send().await
    };
    let problem = join(json!({ "attendees": 9 })).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "seats");
    app.rule(Scope::Resource, ada.0, json!({ "policy": { "min_attendees": 4 } })).await;
    let problem = join(json!({ "attendees": 3 })).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "min_attendees");
    let only_ada = json!({ "policy": { "access": { "book": { "users": [app.ada.user] } } } });
    app.rule(Scope::Resource, ada.0, only_ada).await;
    let problem = join(json!({})).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "access");
    // A manager may book for him, but it is he to whom it would be offered.
    let mut for_bob = body.clone();
    for_bob["on_behalf_of"] = json!(app.bob.user);
    let call = app.call_as(&app.manager, "POST", "/api/v1/waitlist").json(for_bob);
    call.send().await.problem(422, "policy_violated");
    let pool = app.tell(Resource { units: 2, ..room("Laptop", 1) }).await;
    let three = json!({ "resources": [{ "resource_id": pool, "units": 3 }], "starts_at": at("10:00"), "ends_at": at("11:00") });
    let call = app.call_as(&app.bob, "POST", "/api/v1/waitlist").json(three);
    call.send().await.problem(422, "not_enough_units");
    assert_eq!(entries(&app, &app.bob).await.len(), 0);
    app.events().await;
}

#[tokio::test]
async fn nobody_has_more_than_twenty_places_even_at_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let joins = (0..24).map(|_| app.call_as(&app.bob, "POST", "/api/v1/waitlist").json(&body).send());
    let replies = join_all(joins).await;
    let joined = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    assert!(joined <= 20, "{joined}");
    for _ in joined..20 {
        wait(&app, &app.bob, room, json!({})).await;
    }
    app.call_as(&app.bob, "POST", "/api/v1/waitlist")
        .json(&body)
        .send()
        .await
        .problem(409, "waits_too_often");
    let path = format!("/api/v1/waitlist/{}", entries(&app, &app.bob).await[0]["id"].as_str().unwrap());
    app.call_as(&app.bob, "DELETE", &path).send().await.expect(204);
    wait(&app, &app.bob, room, json!({})).await;
    app.events().await;
}

#[tokio::test]
async fn those_who_cannot_be_served_yet_keep_nobody_behind_them_from_their_turn() {
    let app = Bookings::start().await;
    let (room, busy) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let booking = app.book(room, "10:00", "11:00").await;
    app.book(busy, "10:00", "11:00").await;
    for _ in 0..3 {
        let person = app.person(Role::User);
        let both = json!({ "resources": [{ "resource_id": room }, { "resource_id": busy }],
                           "starts_at": at("10:00"), "ends_at": at("11:00") });
        for _ in 0..17 {
            app.call_as(&person, "POST", "/api/v1/waitlist").json(&both).send().await.expect(201);
        }
    }
    app.clock.advance(SignedDuration::from_secs(1));
    wait(&app, &app.bob, room, json!({})).await;
    post(&app, &app.ada, &booking["id"], "cancel").await.expect(200);
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "offered");
    app.events().await;
}

#[tokio::test]
async fn what_is_in_maintenance_is_offered_when_it_is_back() {
    let app = Bookings::start().await;
    let half = room("Half", 4);
    let part = app.tell(half.clone()).await;
    let hall = app.tell(Resource { parts: [part].into(), ..room("Hall", 8) }).await;
    let booking = app.book(hall, "10:00", "11:00").await;
    wait(&app, &app.bob, hall, json!({})).await;
    app.tell(Resource { version: 2, status: ResourceStatus::Maintenance, ..half.clone() }).await;
    post(&app, &app.ada, &booking["id"], "cancel").await.expect(200);
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "waiting");
    app.tell(Resource { version: 3, ..half }).await;
    app.run_jobs().await;
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "offered");
    app.events().await;
}

#[tokio::test]
async fn who_has_left_is_passed_over() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let (carol, dan) = (app.person(Role::User), app.person(Role::User));
    app.account(&carol, Role::User, &[]).await;
    wait(&app, &carol, room, json!({})).await;
    app.clock.advance(SignedDuration::from_secs(1));
    wait(&app, &dan, room, json!({})).await;
    app.close_account(&carol).await;
    post(&app, &app.ada, &booking["id"], "cancel").await.expect(200);
    assert_eq!(entries(&app, &dan).await[0]["status"], "offered");
    app.events().await;
}

#[tokio::test]
async fn a_pool_that_shrank_is_given_up_all_the_same() {
    let app = Bookings::start().await;
    let pool = Resource { units: 3, ..room("Laptop", 1) };
    let id = app.tell(pool.clone()).await;
    let three = json!({ "resources": [{ "resource_id": id, "units": 3 }], "starts_at": at("10:00"), "ends_at": at("11:00") });
    let call = |person: &Person, path: &str| app.call_as(person, "POST", path).json(three.clone());
    let booking = call(&app.ada, "/api/v1/bookings").send().await.expect(201).json();
    call(&app.bob, "/api/v1/waitlist").send().await.expect(201);
    app.tell(Resource { version: 2, units: 2, ..pool }).await;
    post(&app, &app.ada, &booking["id"], "cancel").await.expect(200);
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "waiting");
    app.events().await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_ended_keeps_no_other_from_its_end() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "12:00").await;
    wait(&app, &app.ada, room, json!({})).await;
    wait(&app, &app.bob, room, json!({ "ends_at": at("11:30") })).await;
    let broken = sqlx::query("update bookings.waitlist_entry set resources = '{}' where user_id = $1");
    broken.bind(app.ada.user.0).execute(&mut app.owner().await).await.unwrap();
    app.clock.advance(SignedDuration::from_hours(24));
    app.run_jobs().await;
    assert_eq!(entries(&app, &app.bob).await[0]["status"], "expired");
    app.events().await;
}

#[tokio::test]
async fn an_offer_is_left_and_taken_at_once_without_a_fault() {
    let app = Bookings::start().await;
    for _ in 0..8 {
        let room = app.room("Ada", 8).await;
        let entry = wait(&app, &app.bob, room, json!({})).await;
        assert_eq!(entry["status"], "offered");
        let path = format!("/api/v1/waitlist/{}", entry["id"].as_str().unwrap());
        let leave = app.call_as(&app.bob, "DELETE", &path).send();
        let (left, taken) = tokio::join!(leave, post(&app, &app.bob, &entry["booking_id"], "confirm"));
        left.expect(204);
        assert!([200, 409].contains(&taken.status.as_u16()), "{taken:?}");
    }
    app.events().await;
}
