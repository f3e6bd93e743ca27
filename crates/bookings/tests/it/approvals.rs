//! Approval: steps, quorum, delegation, escalation, expiry, requests that block nobody, and their races.

use contracts::rules::Scope;
use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{ResourceId, Role};
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

async fn request(app: &Bookings, room: ResourceId, person: &Person) -> Value {
    let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let booking = app.call_as(person, "POST", "/api/v1/bookings").json(body).send().await.expect(201).json();
    assert_eq!(booking["status"], "pending");
    booking
}

async fn decide(app: &Bookings, person: &Person, booking: &Value, verb: &str) -> Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(person, "POST", &path).json(json!({})).send().await
}

#[tokio::test]
async fn a_request_blocks_until_it_is_decided() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.rule(Scope::Resource, room.0, json!({ "policy": { "approval": { "always": true } } })).await;
    let booking = request(&app, room, &app.ada).await;
    let body = json!({ "resource_id": room, "starts_at": at("10:30"), "ends_at": at("11:30") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.problem(409, "slot_taken");
    decide(&app, &app.bob, &booking, "approve").await.problem(404, "not_found");
    decide(&app, &app.ada, &booking, "approve").await.problem(403, "not_an_approver");
    let open = app.call_as(&app.manager, "GET", "/api/v1/approvals").send().await.expect(200).json();
    assert_eq!(open["items"][0]["id"], booking["id"]);
    decide(&app, &app.manager, &booking, "reject").await.expect(200);
    let again = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.expect(201).json();
    let approved = decide(&app, &app.manager, &again, "approve").await.expect(200).json();
    assert_eq!(approved["status"], "confirmed");
    assert_eq!(
        app.event_types().await,
        ["booking.requested", "booking.rejected", "booking.requested", "booking.confirmed"]
    );
}

#[tokio::test]
async fn steps_come_one_after_the_other_each_with_its_quorum() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let (carol, dan) = (app.person(Role::User), app.person(Role::User));
    let rules = json!({ "policy": { "approval": { "always": true, "steps": [
        { "approvers": { "users": [carol.user, dan.user] }, "quorum": 2 },
        { "approvers": { "role": "manager" } },
    ] } } });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = request(&app, room, &app.ada).await;
    decide(&app, &app.manager, &booking, "approve").await.problem(403, "not_an_approver");
    assert_eq!(
        decide(&app, &carol, &booking, "approve").await.expect(200).json()["terms"]["approval_step"],
        1
    );
    decide(&app, &carol, &booking, "approve").await.problem(409, "already_decided");
    assert_eq!(decide(&app, &dan, &booking, "approve").await.expect(200).json()["terms"]["approval_step"], 2);
    assert_eq!(
        decide(&app, &app.manager, &booking, "approve").await.expect(200).json()["status"],
        "confirmed"
    );
    app.events().await;
}

#[tokio::test]
async fn a_delegate_decides_in_ones_place_while_the_delegation_lasts() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let (boss, deputy) = (app.person(Role::User), app.person(Role::User));
    app.account(&boss, Role::User, &[]).await;
    app.account(&deputy, Role::User, &[]).await;
    let rules = json!({ "policy": { "approval": { "always": true, "steps": [{ "approvers": { "users": [boss.user] } }] } } });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = request(&app, room, &app.ada).await;
    decide(&app, &deputy, &booking, "approve").await.problem(404, "not_found");
    let body = json!({ "delegate_id": deputy.user, "starts_at": app.now(), "ends_at": app.now() + SignedDuration::from_hours(1) });
    let given = app.call_as(&boss, "POST", "/api/v1/delegations").json(body).send().await.expect(201).json();
    decide(&app, &deputy, &booking, "approve").await.expect(200);
    let listed = app.call_as(&deputy, "GET", "/api/v1/delegations").send().await.expect(200).json();
    assert_eq!(listed["items"][0]["id"], given["id"]);
    let path = format!("/api/v1/delegations/{}", given["id"].as_str().unwrap());
    app.call_as(&deputy, "DELETE", &path).send().await.problem(404, "not_found");
    app.call_as(&boss, "DELETE", &path).send().await.expect(204);
    app.events().await;
}

#[tokio::test]
async fn an_undecided_request_escalates_and_then_expires() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let boss = app.person(Role::User);
    let rules = json!({ "policy": { "approval": { "always": true, "expires_after_minutes": 60, "steps": [
        { "approvers": { "users": [boss.user] }, "escalate_after_minutes": 30, "escalate_to": { "role": "manager" } },
    ] } } });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = request(&app, room, &app.ada).await;
    decide(&app, &app.manager, &booking, "approve").await.problem(403, "not_an_approver");
    app.clock.advance(SignedDuration::from_mins(30));
    app.run_jobs().await;
    assert_eq!(app.event_types().await, ["booking.requested", "booking.escalated"]);
    let open = app.call_as(&app.manager, "GET", "/api/v1/approvals").send().await.expect(200).json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    app.clock.advance(SignedDuration::from_mins(30));
    decide(&app, &app.manager, &booking, "approve").await.problem(409, "request_expired");
    app.run_jobs().await;
    assert_eq!(app.event_types().await, ["booking.expired"]);
}

#[tokio::test]
async fn of_requests_that_block_nobody_one_is_approved_and_the_others_are_refused_with_it() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({ "policy": { "approval": { "always": true }, "pending_blocks": false } });
    app.rule(Scope::Resource, room.0, rules).await;
    let mut requests = Vec::new();
    for _ in 0..6 {
        requests.push(request(&app, room, &app.ada).await);
    }
    let calls = requests.iter().map(|booking| decide(&app, &app.manager, booking, "approve"));
    let replies = join_all(calls).await;
    let won = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(won, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    let listed = app.call_as(&app.ada, "GET", "/api/v1/bookings").send().await.expect(200).json();
    let confirmed =
        listed["items"].as_array().unwrap().iter().filter(|one| one["status"] == "confirmed").count();
    assert_eq!(confirmed, 1);
    assert!(app.event_types().await.contains(&"booking.rejected".to_owned()));
}

#[tokio::test]
async fn approvals_of_one_place_do_not_count_for_another() {
    let app = Bookings::start().await;
    let rules = json!({ "policy": { "approval": { "always": true } } });
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    for room in [room, other] {
        app.rule(Scope::Resource, room.0, rules.clone()).await;
    }
    let booking = request(&app, room, &app.ada).await;
    let approved = decide(&app, &app.manager, &booking, "approve").await.expect(200).json();
    assert_eq!(approved["status"], "confirmed");
    let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
    let body = json!({ "resource_id": other });
    let moved = app.call_as(&app.ada, "POST", &path).json(body).send().await.expect(200).json();
    assert_eq!(moved["status"], "pending");
    let approved = decide(&app, &app.manager, &moved, "approve").await.expect(200).json();
    assert_eq!(approved["status"], "confirmed", "who decided before decides again");
    app.events().await;
}

#[tokio::test]
async fn who_made_a_request_does_not_decide_on_it_when_it_is_somebody_elses() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let steps = json!([{ "approvers": { "users": [app.bob.user, app.manager.user] }, "quorum": 2 }]);
    let rules = json!({ "policy": { "approval": { "always": true, "steps": steps } } });
    app.rule(Scope::Resource, room.0, rules).await;
    let booking = request(&app, room, &app.bob).await;
    let path = format!("/api/v1/bookings/{}/transfer", booking["id"].as_str().unwrap());
    let to_ada = json!({ "user_id": app.ada.user });
    app.call_as(&app.bob, "POST", &path).json(to_ada).send().await.expect(200);
    decide(&app, &app.bob, &booking, "approve").await.problem(403, "not_an_approver");
    decide(&app, &app.manager, &booking, "approve").await.expect(200);
    app.events().await;
}

#[tokio::test]
async fn a_booking_that_is_asked_for_anew_is_bound_by_its_deadline_still() {
    let app = Bookings::start().await;
    let (room, asked) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let deadline = json!({ "deadline_minutes": 24 * 60 });
    app.rule(Scope::Resource, room.0, json!({ "policy": { "cancellation": deadline } })).await;
    let rules = json!({ "policy": { "approval": { "always": true }, "cancellation": deadline } });
    app.rule(Scope::Resource, asked.0, rules).await;
    let booking = app.book(room, "10:00", "11:00").await;
    decide(&app, &app.ada, &booking, "cancel").await.problem(409, "too_late_to_cancel");
    let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
    let to = json!({ "resource_id": asked });
    let moved = app.call_as(&app.ada, "POST", &path).json(to).send().await.expect(200).json();
    assert_eq!(moved["status"], "pending");
    decide(&app, &app.ada, &booking, "cancel").await.problem(409, "too_late_to_cancel");
    app.events().await;
}
