//! Credit: taken and given back with every change of a booking, never spent twice.

use contracts::rules::Scope;
use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{ResourceId, Role};
use serde_json::{Value, json};
use sqlx::Row as _;
use testkit::{Person, Reply};

use crate::harness::{Bookings, at};

/// A room at 10.00 EUR an hour, to be paid with credit.
async fn room(app: &Bookings, name: &str) -> ResourceId {
    let room = app.room(name, 8).await;
    let rules = json!({
        "policy": { "cancellation": { "free_until_minutes": 240, "fee_percent": 50 } },
        "prices": { "currency": "EUR", "pay_with": "credit",
                    "prices": [{ "name": "Room", "amount": 1000, "per": "hour" }] },
    });
    app.rule(Scope::Resource, room.0, rules).await;
    room
}

async fn grant(app: &Bookings, person: &Person, amount: i64) {
    let path = format!("/api/v1/credits/{}/grant", person.user);
    let body = json!({ "amount": amount, "currency": "EUR", "reason": "Term allowance" });
    app.call_as(&app.manager, "POST", &path).json(body).send().await.expect(201);
}

async fn ask(app: &Bookings, person: &Person, room: ResourceId, from: &str, to: &str) -> Reply {
    let body = json!({ "resource_id": room, "starts_at": at(from), "ends_at": at(to) });
    app.call_as(person, "POST", "/api/v1/bookings").json(body).send().await
}

async fn step(app: &Bookings, person: &Person, booking: &Value, verb: &str, body: Value) -> Reply {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(person, "POST", &path).json(body).send().await
}

async fn credits(app: &Bookings, person: &Person) -> Value {
    let path = format!("/api/v1/credits/{}", person.user);
    app.call_as(person, "GET", &path).send().await.expect(200).json()
}

async fn balance(app: &Bookings, person: &Person) -> i64 {
    credits(app, person).await["balances"][0]["amount"].as_i64().unwrap_or(0)
}

/// What the bookings of all have been charged, and what the ledger says beside the grants.
async fn books(app: &Bookings) -> (i64, i64) {
    let charged = "select coalesce(sum(case when status in ('expired', 'rejected', 'cancelled') then coalesce((terms->>'fee')::bigint, 0)
                                            else price end), 0)::bigint
                   from bookings.booking where terms->>'pay_with' = 'credit'";
    let ledger = "select coalesce(-sum(amount), 0)::bigint from bookings.credit_entry where kind <> 'grant'";
    let mut owner = app.owner().await;
    let charged = sqlx::query(charged).fetch_one(&mut owner).await.unwrap().get(0);
    (charged, sqlx::query(ledger).fetch_one(&mut owner).await.unwrap().get(0))
}

#[tokio::test]
async fn a_booking_takes_its_price_and_gives_back_what_it_no_longer_costs() {
    let app = Bookings::start().await;
    let room = room(&app, "Ada").await;
    let problem = ask(&app, &app.bob, room, "14:00", "15:00").await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "credit");
    assert_eq!(app.events().await.len(), 0, "nothing is written");
    grant(&app, &app.bob, 5000).await;
    let booking = ask(&app, &app.bob, room, "14:00", "15:00").await.expect(201).json();
    assert_eq!(balance(&app, &app.bob).await, 4000);
    let longer = json!({ "ends_at": at("17:00") });
    step(&app, &app.bob, &booking, "move", longer).await.expect(200);
    assert_eq!(balance(&app, &app.bob).await, 2000);
    let too_long = json!({ "ends_at": at("19:30") });
    let problem = step(&app, &app.bob, &booking, "move", too_long).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "credit");
    step(&app, &app.bob, &booking, "cancel", json!({})).await.expect(200);
    assert_eq!(balance(&app, &app.bob).await, 5000, "free until four hours before");
    let late = ask(&app, &app.bob, room, "10:00", "12:00").await.expect(201).json();
    step(&app, &app.bob, &late, "cancel", json!({})).await.expect(200);
    let credits = credits(&app, &app.bob).await;
    assert_eq!(credits["balances"], json!([{ "amount": 4000, "currency": "EUR" }]), "half of it is the fee");
    let newest = &credits["items"][0];
    assert_eq!(
        (&newest["kind"], &newest["amount"], &newest["booking_id"]),
        (&json!("refund"), &json!(1000), &late["id"])
    );
    assert_eq!(books(&app).await, (1000, 1000));
    app.events().await;
}

#[tokio::test]
async fn holds_reserve_and_others_pay_for_what_becomes_theirs() {
    let app = Bookings::start().await;
    let room = room(&app, "Ada").await;
    grant(&app, &app.bob, 1000).await;
    let body =
        json!({ "resource_id": room, "starts_at": at("14:00"), "ends_at": at("15:00"), "hold_seconds": 60 });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await.expect(201);
    assert_eq!(balance(&app, &app.bob).await, 0);
    app.clock.advance(SignedDuration::from_secs(61));
    // What a hold has had that ran out can be spent, even before the job ends it.
    let meanwhile = ask(&app, &app.bob, room, "16:00", "17:00").await.expect(201).json();
    ask(&app, &app.bob, room, "18:00", "19:00").await.problem(422, "policy_violated");
    step(&app, &app.bob, &meanwhile, "cancel", json!({})).await.expect(200);
    app.run_jobs().await;
    assert_eq!(balance(&app, &app.bob).await, 1000, "nobody confirmed it");
    let booking = ask(&app, &app.bob, room, "14:00", "15:00").await.expect(201).json();
    let to_ada = json!({ "user_id": app.ada.user });
    // It would be Ada's credit that is spent, and nobody asked her.
    step(&app, &app.bob, &booking, "transfer", to_ada.clone()).await.problem(403, "permission_required");
    step(&app, &app.manager, &booking, "transfer", to_ada.clone()).await.problem(422, "policy_violated");
    grant(&app, &app.ada, 1000).await;
    step(&app, &app.manager, &booking, "transfer", to_ada).await.expect(200);
    assert_eq!((balance(&app, &app.bob).await, balance(&app, &app.ada).await), (1000, 0));
    app.events().await;
}

#[tokio::test]
async fn of_two_bookings_for_the_last_credit_exactly_one_wins() {
    let app = Bookings::start().await;
    let mut rooms = Vec::new();
    for number in 0..8 {
        rooms.push(room(&app, &format!("Room {number}")).await);
    }
    grant(&app, &app.bob, 1000).await;
    let replies = join_all(rooms.iter().map(|room| ask(&app, &app.bob, *room, "14:00", "15:00"))).await;
    let won = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    let refused = replies.iter().filter(|reply| reply.status.as_u16() == 422).count();
    assert_eq!((won, refused), (1, 7));
    assert_eq!(balance(&app, &app.bob).await, 0);
    assert_eq!(books(&app).await, (1000, 1000));
    app.events().await;
}

#[tokio::test]
async fn whatever_is_done_the_ledger_is_the_sum_of_the_charges() {
    let app = Bookings::start().await;
    let rooms = [room(&app, "One").await, room(&app, "Two").await];
    grant(&app, &app.ada, 4000).await;
    grant(&app, &app.bob, 3000).await;
    // A small generator, so that a failure can be repeated.
    let mut seed = 7_u64;
    let mut any = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut made: Vec<Value> = Vec::new();
    for _ in 0..60 {
        let person = if any(2) == 0 { &app.ada } else { &app.bob };
        let (room, hour) = (rooms[any(2) as usize], 9 + any(9));
        let (from, to) = (format!("{hour:02}:00"), format!("{:02}:00", hour + 1 + any(3)));
        let chosen = if made.is_empty() { None } else { Some(made[any(made.len() as u64) as usize].clone()) };
        match (any(5), chosen) {
            (0 | 1, _) | (_, None) => {
                let reply = ask(&app, person, room, &from, &to).await;
                if reply.status.as_u16() == 201 {
                    made.push(reply.json());
                }
            }
            (2, Some(booking)) => {
                let body = json!({ "resource_id": room, "starts_at": at(&from), "ends_at": at(&to) });
                step(&app, &app.manager, &booking, "move", body).await;
            }
            (3, Some(booking)) => {
                step(&app, &app.manager, &booking, "cancel", json!({})).await;
            }
            (_, Some(booking)) => {
                step(&app, &app.manager, &booking, "reinstate", json!({})).await;
            }
        }
        let (charged, ledger) = books(&app).await;
        assert_eq!(charged, ledger);
        assert!(balance(&app, &app.ada).await >= 0 && balance(&app, &app.bob).await >= 0);
    }
    assert!(made.len() > 3, "something was booked");
    app.events().await;
}

#[tokio::test]
async fn credit_is_given_by_managers_once_and_seen_by_its_owner() {
    let app = Bookings::start().await;
    let path = format!("/api/v1/credits/{}", app.bob.user);
    let body = json!({ "amount": 500, "currency": "EUR" });
    let call = |person: &Person| app.call_as(person, "POST", &format!("{path}/grant")).json(&body);
    call(&app.bob).send().await.problem(403, "permission_required");
    let first = call(&app.manager).header("idempotency-key", "one").send().await.expect(201).json();
    let again = call(&app.manager).header("idempotency-key", "one").send().await.expect(201).json();
    assert_eq!(first, again);
    assert_eq!(balance(&app, &app.bob).await, 500);
    let events = app.events().await;
    assert_eq!((events.len(), events[0].kind.as_str()), (1, "reservas.credit.granted.v1"));
    assert_eq!(events[0].data["money"], json!({ "amount": 500, "currency": "EUR" }));
    app.call_as(&app.ada, "GET", &path).send().await.problem(404, "not_found");
    app.call_as(&app.manager, "GET", &path).send().await.expect(200);
    for amount in [0, -5] {
        let body = json!({ "amount": amount, "currency": "EUR" });
        let call = app.call_as(&app.manager, "POST", &format!("{path}/grant")).json(body);
        call.send().await.problem(422, "invalid_input");
    }
    // Of another organization there is nothing to see, and nobody to give to.
    let stranger = Person::new(kernel::OrganizationId::mint(), Role::Manager);
    let seen = app.call_as(&stranger, "GET", &path).send().await.expect(200).json();
    assert_eq!((&seen["balances"], &seen["items"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_fee_that_was_due_is_owed_wherever_the_booking_is_moved_to() {
    let app = Bookings::start().await;
    let room = room(&app, "Ada").await;
    let (dear, asked) = (app.room("Free", 8).await, app.room("Asked", 8).await);
    let approval = json!({ "policy": { "approval": { "always": true, "expires_after_minutes": 30 } } });
    app.rule(Scope::Resource, asked.0, approval).await;
    grant(&app, &app.bob, 10_000).await;
    // Far ahead, and shorter: half of the two hours is owed all the same.
    let far = json!({ "starts_at": at("18:00"), "ends_at": at("18:30") });
    let booking = ask(&app, &app.bob, room, "10:00", "12:00").await.expect(201).json();
    let moved = step(&app, &app.bob, &booking, "move", far.clone()).await.expect(200).json();
    assert_eq!(moved["terms"]["owed"], 1000);
    assert_eq!(balance(&app, &app.bob).await, 9500);
    let cancelled = step(&app, &app.bob, &booking, "cancel", json!({})).await.expect(200).json();
    assert_eq!(cancelled["terms"]["fee"], 1000);
    assert_eq!(balance(&app, &app.bob).await, 9000);
    // To take that back and to cancel again helps nobody.
    step(&app, &app.bob, &booking, "reinstate", json!({})).await.expect(200);
    step(&app, &app.bob, &booking, "cancel", json!({})).await.expect(200);
    assert_eq!(balance(&app, &app.bob).await, 9000);
    // Nor does a place that costs nothing, nor one where it is a request that nobody decides on.
    for (place, verb) in [(dear, Some("cancel")), (asked, Some("cancel")), (asked, None)] {
        let before = balance(&app, &app.bob).await;
        let booking = ask(&app, &app.bob, room, "10:00", "12:00").await.expect(201).json();
        let to = json!({ "resource_id": place, "starts_at": at("20:00"), "ends_at": at("21:00") });
        step(&app, &app.bob, &booking, "move", to).await.expect(200);
        assert_eq!(balance(&app, &app.bob).await, before, "{verb:?}");
        match verb {
            Some(verb) => drop(step(&app, &app.bob, &booking, verb, json!({})).await.expect(200)),
            None => {
                app.clock.advance(SignedDuration::from_mins(31));
                app.run_jobs().await;
            }
        }
        assert_eq!(balance(&app, &app.bob).await, before - 1000, "{verb:?}");
    }
    // Early enough, it costs nothing.
    let before = balance(&app, &app.bob).await;
    let booking = ask(&app, &app.bob, room, "15:00", "16:00").await.expect(201).json();
    step(&app, &app.bob, &booking, "move", far).await.expect(200);
    step(&app, &app.bob, &booking, "cancel", json!({})).await.expect(200);
    assert_eq!(balance(&app, &app.bob).await, before);
    assert_eq!(books(&app).await.0, books(&app).await.1);
    app.events().await;
}
