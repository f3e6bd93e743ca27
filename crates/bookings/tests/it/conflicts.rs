//! How conflicts end, and bookings that no longer fit their resource.

use contracts::resources::ResourceStatus;
use contracts::rules::Scope;
use kernel::ResourceId;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::{Bookings, at, room};

async fn ask(app: &Bookings, person: &Person, room: ResourceId, from: &str, to: &str, more: Value) -> Reply {
    let mut body = json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.call_as(person, "POST", "/api/v1/bookings").json(body).send().await
}

async fn list(app: &Bookings, path: &str) -> Vec<Value> {
    let list = app.call_as(&app.manager, "GET", path).send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

async fn resolve(app: &Bookings, conflict: &Value) -> Reply {
    let path = format!("/api/v1/conflicts/{}/resolve", conflict.as_str().unwrap());
    app.call_as(&app.manager, "POST", &path).json(json!({ "note": "Seen to" })).send().await
}

#[tokio::test]
async fn a_refusal_is_written_down_with_all_that_was_said() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let problem = ask(&app, &app.bob, room, "10:30", "11:30", json!({})).await.problem(409, "slot_taken");
    let found = list(&app, &format!("/api/v1/conflicts?resource_id={room}&user_id={}", app.bob.user)).await;
    assert_eq!(found.len(), 1);
    let conflict = &found[0];
    assert_eq!(conflict["id"], problem["conflict_id"]);
    assert_eq!(conflict["outcome"], "refused");
    assert_eq!(conflict["conflicts"][0]["booking_id"], booking["id"], "managers see whose it is");
    assert!(problem["conflicts"][0].get("booking_id").is_none(), "who is refused does not");
    assert_eq!(conflict["alternatives"], problem["alternatives"]);
    assert_eq!((&conflict["starts_at"], &conflict["actor_id"]), (&json!(at("10:30")), &json!(app.bob.user)));
    // Rules alone are no conflict.
    let alone = ask(&app, &app.bob, room, "06:00", "06:02", json!({})).await.problem(422, "policy_violated");
    assert!(alone.get("conflict_id").is_none());
    assert_eq!(list(&app, "/api/v1/conflicts?outcome=overlap").await.len(), 0);
    let to = format!("/api/v1/conflicts?to={}", app.now());
    assert_eq!(list(&app, &to).await.len(), 0, "before now there was none");
    assert_eq!(app.event_types().await, [""; 0], "a refusal is no event");
}

#[tokio::test]
async fn what_was_done_instead_is_kept() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    let refused = async || {
        let problem = ask(&app, &app.bob, room, "10:30", "11:00", json!({})).await.problem(409, "slot_taken");
        (problem["conflict_id"].clone(), problem["alternatives"][0].clone())
    };
    let (id, offered) = refused().await;
    let named = json!({ "resource_id": room, "starts_at": offered["starts_at"], "ends_at": offered["ends_at"], "conflict_id": id });
    let ada = app.call_as(&app.ada, "POST", "/api/v1/bookings").json(&named).send().await;
    let problem = ada.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/conflict_id", "it is not hers");
    let taken =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&named).send().await.expect(201).json();
    let found = list(&app, "/api/v1/conflicts?outcome=alternative_taken").await;
    assert_eq!((&found[0]["id"], &found[0]["booking_id"]), (&id, &taken["id"]));

    let (id, _) = refused().await;
    ask(&app, &app.bob, room, "15:00", "16:00", json!({ "conflict_id": id })).await.expect(201);
    ask(&app, &app.bob, room, "17:00", "18:00", json!({ "conflict_id": id }))
        .await
        .problem(422, "invalid_input");
    assert_eq!(list(&app, "/api/v1/conflicts?outcome=booked_otherwise").await[0]["id"], id);

    let (id, _) = refused().await;
    let wait =
        json!({ "resource_id": room, "starts_at": at("10:30"), "ends_at": at("11:00"), "conflict_id": id });
    let entry = app.call_as(&app.bob, "POST", "/api/v1/waitlist").json(wait).send().await.expect(201).json();
    let found = list(&app, "/api/v1/conflicts?outcome=waitlisted").await;
    assert_eq!((&found[0]["id"], &found[0]["waitlist_entry_id"]), (&id, &entry["id"]));

    let (id, _) = refused().await;
    assert_eq!(resolve(&app, &id).await.expect(200).json()["note"], "Seen to");
    resolve(&app, &id).await.problem(409, "conflict_over");
    let first = app.call_as(&app.manager, "GET", "/api/v1/conflicts?limit=3").send().await.expect(200).json();
    let rest = format!("/api/v1/conflicts?limit=3&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(list(&app, &rest).await.len(), 1);
    let types = app.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "conflict.resolved").count(), 4, "{types:?}");
}

#[tokio::test]
async fn what_no_longer_fits_is_flagged_and_never_dropped() {
    let app = Bookings::start().await;
    let resource = room("Ada", 8);
    let id = app.tell(resource.clone()).await;
    let (late, early) = (app.book(id, "19:00", "20:00").await, app.book(id, "10:00", "11:00").await);
    let run = async || app.run_jobs().await;
    let hours =
        json!({ "schedule": { "weekly": [{ "days": ["monday"], "opens": "08:00", "closes": "18:00" }] } });
    app.rule(Scope::Resource, id.0, hours).await;
    run().await;
    run().await;
    assert_eq!(app.event_types().await, ["booking.flagged"], "once, and only the one outside");
    let flagged = list(&app, "/api/v1/bookings?flagged=true").await;
    assert_eq!((flagged.len(), &flagged[0]["id"]), (1, &late["id"]));
    assert_eq!((&flagged[0]["flag"], &flagged[0]["status"]), (&json!("outside_hours"), &json!("confirmed")));
    assert_eq!(list(&app, "/api/v1/bookings?flagged=false").await[0]["id"], early["id"]);
    let overlap = list(&app, "/api/v1/conflicts?outcome=overlap").await;
    assert_eq!((&overlap[0]["booking_id"], &overlap[0]["reason"]), (&late["id"], &json!("outside_hours")));

    // A manager lets it be: it is not flagged for the same again.
    resolve(&app, &overlap[0]["id"]).await.expect(200);
    assert_eq!(list(&app, "/api/v1/bookings?flagged=true").await.len(), 0);
    app.tell(contracts::resources::Resource { version: 2, ..resource.clone() }).await;
    run().await;
    assert_eq!(app.event_types().await, ["conflict.resolved", "booking.changed"]);

    // Retired, all of its bookings are; moved elsewhere, one no longer is.
    let other = app.room("Bob", 8).await;
    let retired = contracts::resources::Resource { version: 3, status: ResourceStatus::Retired, ..resource };
    app.tell(retired).await;
    run().await;
    assert_eq!(list(&app, "/api/v1/bookings?flagged=true").await.len(), 2);
    let path = format!("/api/v1/bookings/{}/move", early["id"].as_str().unwrap());
    let moved = app.call_as(&app.manager, "POST", &path).json(json!({ "resource_id": other })).send().await;
    assert_eq!(moved.expect(200).json()["flag"], Value::Null);
    let open = list(&app, "/api/v1/conflicts?outcome=overlap").await;
    assert_eq!((open.len(), &open[0]["booking_id"]), (1, &late["id"]));
    app.events().await;
}

#[tokio::test]
async fn new_parts_and_fewer_units_are_noticed() {
    let app = Bookings::start().await;
    let part = app.room("Half", 4).await;
    let hall = room("Hall", 20);
    let hall_id = app.tell(hall.clone()).await;
    let pool = contracts::resources::Resource { units: 2, ..room("Laptop", 1) };
    let pool_id = app.tell(pool.clone()).await;
    app.book(hall_id, "10:00", "11:00").await;
    app.book(pool_id, "10:00", "11:00").await;
    app.book(pool_id, "10:00", "11:00").await;
    app.tell(contracts::resources::Resource { version: 2, parts: [part].into(), ..hall }).await;
    app.tell(contracts::resources::Resource { version: 2, units: 1, ..pool }).await;
    app.run_jobs().await;
    let flagged = list(&app, "/api/v1/bookings?flagged=true").await;
    let mut flags: Vec<_> = flagged.iter().map(|one| one["flag"].as_str().unwrap()).collect();
    flags.sort_unstable();
    assert_eq!(flags, ["parts_changed", "unit_retired"]);
    app.events().await;
}

#[tokio::test]
async fn a_higher_priority_takes_the_place_where_the_rules_allow_it() {
    let app = Bookings::start().await;
    let (id, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let group = kernel::GroupId::mint();
    let chief = app.person(kernel::Role::User);
    app.account(&chief, kernel::Role::User, &[group]).await;
    app.rule(Scope::Group, group.0, json!({ "policy": { "priority": 10 } })).await;
    let (first, second) = (app.book(id, "10:00", "11:00").await, app.book(id, "11:00", "12:00").await);
    ask(&app, &chief, id, "10:30", "11:30", json!({})).await.problem(409, "slot_taken");
    app.rule(Scope::Resource, id.0, json!({ "policy": { "preemptible": true } })).await;
    ask(&app, &app.bob, id, "10:30", "11:30", json!({})).await.problem(409, "slot_taken");
    let won = ask(&app, &chief, id, "10:30", "11:30", json!({})).await.expect(201).json();
    let types = app.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "conflict.preempted").count(), 2, "{types:?}");
    let lost = list(&app, "/api/v1/bookings?status=cancelled").await;
    assert_eq!((&lost[0]["id"], &lost[1]["id"]), (&first["id"], &second["id"]));
    let told = list(&app, "/api/v1/conflicts?outcome=preempted").await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["conflicts"][0]["booking_id"], won["id"]);
    let offered = told[0]["alternatives"].as_array().unwrap();
    assert!(offered.iter().any(|one| one["resources"][0]["resource_id"] == json!(other)), "{offered:?}");
    // Nobody of the same priority does, nor does one that has begun make way.
    let deputy = app.person(kernel::Role::User);
    app.account(&deputy, kernel::Role::User, &[group]).await;
    ask(&app, &deputy, id, "10:30", "11:30", json!({})).await.problem(409, "slot_taken");
    app.book(id, "08:00", "09:00").await;
    app.clock.advance(jiff::SignedDuration::from_mins(5));
    ask(&app, &chief, id, "08:30", "09:00", json!({})).await.problem(409, "slot_taken");
    app.events().await;
}
