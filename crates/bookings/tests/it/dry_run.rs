//! Trying a booking or rules: everything is told, nothing is written.

use contracts::rules::Scope;
use kernel::ResourceId;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

const PATH: &str = "/api/v1/policies/dry-run";

async fn dry(app: &Bookings, person: &Person, body: Value) -> Reply {
    app.call_as(person, "POST", PATH).json(body).send().await
}

fn booking(room: ResourceId, from: &str, to: &str) -> Value {
    json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) })
}

fn rules_of(outcome: &Value) -> Vec<&str> {
    outcome["broken"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_booking_is_judged_whole_and_nothing_is_written() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({
        "policy": { "max_minutes": 60, "quotas": [{ "measure": "minutes", "limit": 90, "per": "day" }],
                    "approval": { "over_minutes": 45 } },
        "prices": { "currency": "EUR", "pay_with": "credit",
                    "prices": [{ "name": "Room", "amount": 1000, "per": "hour" }] },
    });
    app.rule(Scope::Resource, room.0, rules).await;
    let body = json!({ "booking": booking(room, "10:00", "12:00") });
    let tried = dry(&app, &app.bob, body).await.expect(200).json();
    let outcome = &tried["booking"];
    assert_eq!((&outcome["allowed"], &outcome["status"]), (&json!(false), &json!("pending")));
    assert_eq!(rules_of(outcome), ["max_duration", "quota", "credit"]);
    assert_eq!(outcome["quote"]["total"], json!({ "amount": 2000, "currency": "EUR" }));
    assert_eq!(outcome["quote"]["lines"][0]["count"], 120);
    let quota = &outcome["quotas"][0];
    assert_eq!((&quota["used"], &quota["asked"], &quota["left"]), (&json!(0), &json!(120), &json!(-30)));
    assert_eq!(outcome["terms"]["approval_steps"], 1);
    assert_eq!(tried["past"], Value::Null);
    let list = app.call_as(&app.manager, "GET", "/api/v1/bookings").send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
    assert_eq!(app.events().await.len(), 0);
}

#[tokio::test]
async fn what_is_in_the_way_is_told_with_alternatives_that_can_be_booked() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    let body = json!({ "booking": booking(room, "10:00", "11:00") });
    let outcome = &dry(&app, &app.bob, body).await.expect(200).json()["booking"];
    assert_eq!(outcome["allowed"], false);
    assert_eq!(outcome["conflicts"][0]["starts_at"], at("10:00"));
    assert_eq!(outcome["conflicts"][0]["user_id"], Value::Null, "whose it is, others do not learn");
    let alternative = &outcome["alternatives"][0];
    let body = json!({ "resource_id": room, "starts_at": alternative["starts_at"], "ends_at": alternative["ends_at"] });
    let allowed = dry(&app, &app.bob, json!({ "booking": body })).await.expect(200).json();
    assert_eq!(allowed["booking"]["allowed"], true);
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn changed_rules_are_tried_on_a_booking_and_on_those_there_are() {
    let app = Bookings::start().await;
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let long = app.book(room, "10:00", "12:00").await;
    app.book(room, "13:00", "13:30").await;
    app.book(other, "10:00", "12:00").await;
    let rules =
        json!({ "scope": "resource", "scope_id": room, "rules": { "policy": { "max_minutes": 60 } } });
    let body = json!({
        "booking": booking(room, "14:00", "16:00"), "rules": rules,
        "against_past": { "from": at("00:00"), "to": at("23:00") },
    });
    dry(&app, &app.bob, body.clone()).await.problem(403, "permission_required");
    let tried = dry(&app, &app.manager, body).await.expect(200).json();
    assert_eq!(rules_of(&tried["booking"]), ["max_duration"]);
    let past = &tried["past"];
    assert_eq!((&past["looked_at"], &past["more"]), (&json!(3), &json!(false)));
    let refused = past["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["booking_id"], long["id"]);
    assert_eq!(rules_of(&refused[0]), ["max_duration"]);
    // The rules were tried, not laid down.
    app.book(room, "14:00", "16:00").await;
    let stranger = Person::new(kernel::OrganizationId::mint(), kernel::Role::Manager);
    let rules =
        json!({ "scope": "resource", "scope_id": room, "rules": { "policy": { "max_minutes": 60 } } });
    let body = json!({ "rules": rules, "against_past": { "from": at("00:00"), "to": at("23:00") } });
    let theirs = dry(&app, &stranger, body).await.expect(200).json();
    assert_eq!(theirs["past"]["looked_at"], 0, "of another organization nothing is seen");
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    dry(&app, &app.bob, json!({})).await.problem(422, "invalid_input");
    let window = json!({ "from": at("00:00"), "to": at("23:00") });
    dry(&app, &app.manager, json!({ "against_past": window })).await.problem(422, "invalid_input");
    let backwards = json!({ "from": at("23:00"), "to": at("00:00") });
    let rules = json!({ "scope": "resource", "scope_id": room, "rules": {} });
    let body = json!({ "rules": rules, "against_past": backwards });
    dry(&app, &app.manager, body).await.problem(422, "invalid_input");
    for rules in [
        json!({ "policy": { "grid_minutes": 0 } }),
        json!({ "policy": { "lead_minutes": 4_294_967_295_u32 } }),
        json!({ "policy": { "colour": "red" } }),
        json!({ "prices": { "currency": "euro", "prices": [] } }),
    ] {
        let rules = json!({ "scope": "resource", "scope_id": room, "rules": rules });
        let body = json!({ "booking": booking(room, "10:00", "11:00"), "rules": rules });
        dry(&app, &app.bob, body).await.problem(422, "invalid_input");
    }
    let mut for_ada = booking(room, "10:00", "11:00");
    for_ada["on_behalf_of"] = json!(app.ada.user);
    dry(&app, &app.bob, json!({ "booking": for_ada })).await.problem(403, "permission_required");
}
