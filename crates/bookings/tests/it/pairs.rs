//! Every pair of operations that take a time, at once at one slot: one of them gets it, and the database agrees.

use kernel::ResourceId;
use serde_json::{Value, json};
use testkit::{Call, Person};

use crate::harness::{Bookings, at};
use crate::races::overlaps;

/// The operations that take the time from 10:00 to 11:00, or some of it.
const OPERATIONS: [&str; 7] = ["create", "hold", "move", "lengthen", "begin_earlier", "approve", "reinstate"];

async fn post(app: &Bookings, person: &Person, path: &str, body: Value) -> Value {
    app.call_as(person, "POST", &format!("/api/v1/{path}")).json(body).send().await.json()
}

fn ask(room: ResourceId, from: &str, to: &str) -> Value {
    json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) })
}

/// A call that takes the slot, with all that it needs beforehand.
async fn prepared(app: &Bookings, operation: &str, room: ResourceId) -> Call {
    let manager = &app.manager;
    let call =
        |path: &str, body: Value| app.call_as(manager, "POST", &format!("/api/v1/bookings{path}")).json(body);
    let of = |booking: &Value, verb: &str| format!("/{}/{verb}", booking["id"].as_str().unwrap());
    match operation {
        "create" => call("", ask(room, "10:00", "11:00")),
        "hold" => {
            let mut body = ask(room, "10:00", "11:00");
            body["hold_seconds"] = json!(600);
            call("", body)
        }
        "move" => {
            let other = app.room("Elsewhere", 8).await;
            let booking = post(app, manager, "bookings", ask(other, "10:00", "11:00")).await;
            call(&of(&booking, "move"), json!({ "resource_id": room }))
        }
        "lengthen" => {
            let booking = post(app, manager, "bookings", ask(room, "09:00", "10:00")).await;
            call(&of(&booking, "move"), json!({ "ends_at": at("10:45") }))
        }
        "begin_earlier" => {
            let booking = post(app, manager, "bookings", ask(room, "11:00", "12:00")).await;
            call(&of(&booking, "move"), json!({ "starts_at": at("10:15"), "ends_at": at("12:00") }))
        }
        "approve" => {
            let request = post(app, &app.ada, "bookings", ask(room, "10:00", "11:00")).await;
            assert_eq!(request["status"], "pending");
            call(&of(&request, "approve"), json!({}))
        }
        "reinstate" => {
            let booking = post(app, manager, "bookings", ask(room, "10:00", "11:00")).await;
            post(app, manager, &format!("bookings{}", of(&booking, "cancel")), json!({})).await;
            call(&of(&booking, "reinstate"), json!({}))
        }
        other => unreachable!("no such operation: {other}"),
    }
}

/// A room in which requests wait for approval and block nobody; what a manager books stands at once.
async fn approved_room(app: &Bookings, name: &str) -> ResourceId {
    let room = app.room(name, 8).await;
    let rules = json!({ "policy": { "approval": { "always": true }, "pending_blocks": false } });
    app.rule(contracts::rules::Scope::Resource, room.0, rules).await;
    room
}

#[tokio::test]
async fn of_every_pair_of_operations_at_one_slot_one_wins() {
    let app = Bookings::start().await;
    for (place, first) in OPERATIONS.iter().enumerate() {
        for second in &OPERATIONS[place..] {
            // Two of a kind that would stand in their own way beforehand.
            if first == second && ["lengthen", "begin_earlier"].contains(first) {
                continue;
            }
            let room = approved_room(&app, &format!("{first} {second}")).await;
            let calls = (prepared(&app, first, room).await, prepared(&app, second, room).await);
            let (one, other) = tokio::join!(calls.0.send(), calls.1.send());
            let won = [&one, &other].iter().filter(|reply| reply.status.is_success()).count();
            let lost = [&one, &other].iter().filter(|reply| reply.status.as_u16() == 409).count();
            assert_eq!((won, lost), (1, 1), "{first} and {second}: {one:?} {other:?}");
        }
    }
    assert_eq!(overlaps(&app).await, 0);
    app.events().await;
}

#[tokio::test]
async fn nobody_comes_between_a_cancellation_and_who_waits() {
    let app = Bookings::start().await;
    for operation in OPERATIONS {
        let room = approved_room(&app, operation).await;
        let call = prepared(&app, operation, room).await;
        let blocker = post(&app, &app.manager, "bookings", ask(room, "10:00", "11:00")).await;
        let waiting = post(&app, &app.bob, "waitlist", ask(room, "10:00", "11:00")).await;
        let path = format!("/api/v1/bookings/{}/cancel", blocker["id"].as_str().unwrap());
        let cancel = app.call_as(&app.manager, "POST", &path).json(json!({}));
        let (cancelled, reply) = tokio::join!(cancel.send(), call.send());
        let _ = cancelled.expect(200);
        // Either the booking or the offer was in its way.
        let _ = reply.problem(409, "slot_taken");
        let entries = app.call_as(&app.bob, "GET", "/api/v1/waitlist").send().await.expect(200).json();
        let entry = entries["items"].as_array().unwrap().iter().find(|entry| entry["id"] == waiting["id"]);
        assert_eq!(entry.unwrap()["status"], "offered", "{operation}");
    }
    assert_eq!(overlaps(&app).await, 0);
    app.events().await;
}

#[tokio::test]
async fn swaps_of_the_same_bookings_at_once_leave_everybody_a_place() {
    let app = Bookings::start().await;
    let mut bookings = Vec::new();
    for number in 0..4 {
        let room = app.room(&format!("Room {number}"), 8).await;
        bookings.push(app.book(room, "10:00", "11:00").await);
    }
    let id = |number: usize| bookings[number % 4]["id"].as_str().unwrap();
    let swaps = (0..8).map(|number| {
        let path = format!("/api/v1/bookings/{}/swap", id(number));
        app.call_as(&app.ada, "POST", &path).json(json!({ "with": id(number + 1) })).send()
    });
    for reply in futures_util::future::join_all(swaps).await {
        assert!(matches!(reply.status.as_u16(), 200 | 409 | 503), "{reply:?}");
    }
    let list = app.call_as(&app.ada, "GET", "/api/v1/bookings").send().await.expect(200).json();
    let rooms: std::collections::BTreeSet<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|booking| booking["resources"][0]["resource_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rooms.len(), 4, "each has a room of its own");
    assert_eq!(overlaps(&app).await, 0);
    app.events().await;
}
