//! Rules: every broken one told with what would do instead; terms kept by the booking; what happens by the clock.

use contracts::rules::Scope;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Bookings, at};

async fn ask(app: &Bookings, room: kernel::ResourceId, from: &str, to: &str) -> testkit::Reply {
    let body = json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await
}

async fn step(app: &Bookings, person: &testkit::Person, booking: &Value, verb: &str) -> testkit::Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(person, "POST", &path).json(json!({})).send().await
}

#[tokio::test]
async fn every_broken_rule_is_told_with_rivals_and_alternatives_that_keep_the_rules() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({
        "policy": { "max_minutes": 60, "grid_minutes": 15 },
        "schedule": { "weekly": [{ "days": ["monday"], "opens": "09:00", "closes": "12:00" }] },
    });
    app.rule(Scope::Resource, room.0, rules).await;
    app.book(room, "11:00", "12:00").await;
    let problem = ask(&app, room, "11:10", "12:20").await.problem(422, "policy_violated");
    let broken: Vec<_> =
        problem["broken"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(broken, ["max_duration", "grid", "opening_hours"]);
    assert_eq!(problem["conflicts"][0]["starts_at"], at("11:00"));
    let problem = ask(&app, room, "11:00", "12:00").await.problem(409, "slot_taken");
    let times: Vec<_> =
        problem["alternatives"].as_array().unwrap().iter().map(|one| &one["starts_at"]).collect();
    assert!(times.contains(&&json!(at("10:00"))), "{times:?}");
    let alternative = &problem["alternatives"][0];
    let (from, to) = (&alternative["starts_at"], &alternative["ends_at"]);
    let body = json!({ "resource_id": room, "starts_at": from, "ends_at": to });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn the_strictest_of_all_layers_holds() {
    let app = Bookings::start().await;
    let resource = crate::harness::room("Ada", 8);
    let (room, kind) = (app.tell(resource.clone()).await, resource.type_id);
    app.rule(Scope::Organization, app.organization.0, json!({ "policy": { "max_minutes": 120 } })).await;
    app.rule(Scope::Type, kind.0, json!({ "policy": { "max_minutes": 90 } })).await;
    app.rule(Scope::Location, resource.location_path[0].0, json!({ "policy": { "min_minutes": 30 } })).await;
    ask(&app, room, "10:00", "11:31").await.problem(422, "policy_violated");
    ask(&app, room, "10:00", "10:29").await.problem(422, "policy_violated");
    ask(&app, room, "10:00", "11:30").await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn groups_and_people_decide_on_access() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let group = kernel::GroupId::mint();
    app.rule(Scope::Resource, room.0, json!({ "policy": { "access": { "book": { "groups": [group] } } } }))
        .await;
    let problem = ask(&app, room, "10:00", "11:00").await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "access");
    app.account(&app.bob, kernel::Role::User, &[group]).await;
    ask(&app, room, "10:00", "11:00").await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn buffers_keep_others_away() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let buffers = json!({ "policy": { "buffer_before_minutes": 10, "buffer_after_minutes": 20 } });
    app.rule(Scope::Resource, room.0, buffers).await;
    app.book(room, "10:00", "11:00").await;
    let problem = ask(&app, room, "11:20", "12:00").await.problem(409, "slot_taken");
    assert_eq!(problem["conflicts"][0]["ends_at"], at("11:20"));
    ask(&app, room, "11:30", "12:00").await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn a_quote_is_kept_and_a_late_cancellation_costs_its_fee() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({
        "policy": { "cancellation": { "deadline_minutes": 30, "free_until_minutes": 600, "fee_percent": 50 } },
        "prices": { "currency": "EUR", "prices": [{ "name": "Room", "amount": 1250, "per": "hour" }] },
    });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = app.book(room, "10:00", "12:00").await;
    assert_eq!(booking["quote"]["total"], json!({ "amount": 2500, "currency": "EUR" }));
    app.rule(Scope::Resource, room.0, json!({})).await;
    let late = app.book(room, "14:00", "15:00").await;
    assert_eq!(late["quote"], Value::Null);
    let cancelled = step(&app, &app.ada, &booking, "cancel").await.expect(200).json();
    assert_eq!(cancelled["terms"]["fee"], 1250);
    app.events().await;
}

#[tokio::test]
async fn after_the_deadline_only_a_manager_cancels() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({ "policy": { "cancellation": { "deadline_minutes": 1440 } } });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = app.book(room, "10:00", "12:00").await;
    step(&app, &app.ada, &booking, "cancel").await.problem(409, "too_late_to_cancel");
    step(&app, &app.manager, &booking, "cancel").await.expect(200);
    app.events().await;
}

#[tokio::test]
async fn who_does_not_come_loses_the_room_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.rule(
        Scope::Resource,
        room.0,
        json!({ "policy": { "check_in": { "required": true, "grace_minutes": 10 } } }),
    )
    .await;
    let missed = app.book(room, "10:00", "11:00").await;
    let to_start = at("10:10").parse::<jiff::Timestamp>().unwrap().duration_since(app.now());
    app.clock.advance(to_start);
    step(&app, &app.ada, &missed, "check-in").await.problem(409, "check_in_closed");
    let runs = (0..4).map(|_| bookings::jobs::run_once(&app.service));
    for run in futures_util::future::join_all(runs).await {
        run.unwrap();
    }
    let mut types = app.event_types().await;
    types.retain(|kind| kind != "booking.reminder_due");
    assert_eq!(types, ["booking.no_show"]);
    ask(&app, room, "10:15", "11:00").await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn owners_are_reminded_once_and_what_is_over_is_completed() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "16:00", "17:00").await;
    let until = |time: &str| at(time).parse::<jiff::Timestamp>().unwrap().duration_since(app.now());
    app.clock.advance(until("15:30"));
    app.run_jobs().await;
    app.run_jobs().await;
    assert_eq!(app.event_types().await, ["booking.reminder_due"]);
    app.clock.advance(SignedDuration::from_mins(90));
    app.run_jobs().await;
    assert_eq!(app.event_types().await, ["booking.completed"]);
}

#[tokio::test]
async fn two_at_once_cannot_both_take_the_last_of_a_quota() {
    let app = Bookings::start().await;
    let resource = crate::harness::room("Room 0", 8);
    let kind = resource.type_id;
    let quota = json!({ "measure": "minutes", "limit": 180, "per": "day" });
    app.rule(Scope::Type, kind.0, json!({ "policy": { "quotas": [quota] } })).await;
    let mut rooms = vec![app.tell(resource.clone()).await];
    for number in 1..8 {
        let name = format!("Room {number}");
        let id = kernel::ResourceId::mint();
        rooms.push(app.tell(contracts::resources::Resource { id, name, ..resource.clone() }).await);
    }
    let calls = rooms.iter().map(|room| ask(&app, *room, "10:00", "11:00"));
    let replies = futures_util::future::join_all(calls).await;
    let won = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    assert_eq!(won, 3, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    let problem = ask(&app, rooms[0], "14:00", "15:00").await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "quota");
    // Others have their own, and so has another type.
    app.book(rooms[0], "14:00", "15:00").await;
    let other = app.room("Other", 4).await;
    ask(&app, other, "14:00", "15:00").await.expect(201);
    app.events().await;
}
