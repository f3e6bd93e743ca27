//! Series: previewed, booked whole or not at all, skipped and moved, changed and cancelled, raced for.

use contracts::rules::Scope;
use futures_util::future::join_all;
use kernel::ResourceId;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::harness::Bookings;

/// Mondays at nine from the tests' own day on: the fifth is after the change of clocks on 2026-03-29.
fn weekly(room: ResourceId, count: u32) -> Value {
    json!({ "resource_id": room, "starts_at": "2026-03-09T09:00", "duration_minutes": 60, "time_zone": "Europe/Lisbon",
            "rule": format!("FREQ=WEEKLY;COUNT={count}"), "title": "Team" })
}

fn with(mut body: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

async fn post(app: &Bookings, person: &Person, path: &str, body: Value) -> Reply {
    app.call_as(person, "POST", &format!("/api/v1/series{path}")).json(body).send().await
}

async fn book(app: &Bookings, room: ResourceId, day: &str, time: &str) -> Value {
    let hour: u8 = time[..2].parse().unwrap();
    let (from, to) = (format!("{day}T{time}:00Z"), format!("{day}T{:02}{}:00Z", hour + 1, &time[2..]));
    let body = json!({ "resource_id": room, "starts_at": from, "ends_at": to });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201).json()
}

fn column<'a>(items: &'a Value, name: &str) -> Vec<&'a str> {
    items.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap_or("-")).collect()
}

async fn count(app: &Bookings) -> usize {
    let list = app.call_as(&app.manager, "GET", "/api/v1/bookings?limit=200").send().await.expect(200).json();
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn nine_in_lisbon_stays_nine_and_the_answer_tells_all() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let call = || {
        app.call_as(&app.ada, "POST", "/api/v1/series").header("idempotency-key", "one").json(weekly(room, 4))
    };
    let reply = call().send().await.expect(201);
    let series = reply.json();
    assert_eq!(
        column(&series["bookings"], "starts_at"),
        ["2026-03-09T09:00:00Z", "2026-03-16T09:00:00Z", "2026-03-23T09:00:00Z", "2026-03-30T08:00:00Z"]
    );
    assert_eq!(column(&series["bookings"], "occurrence")[3], "2026-03-30T09:00:00");
    assert_eq!(series["bookings"][0]["series_id"], series["id"]);
    assert_eq!(column(&series["occurrences"], "outcome"), ["booked"; 4]);
    assert_eq!(call().send().await.expect(201).json(), series, "the same key gives the same answer");
    let types = app.event_types().await;
    assert_eq!(
        types,
        [
            "booking.confirmed",
            "booking.confirmed",
            "booking.confirmed",
            "booking.confirmed",
            "series.created"
        ]
    );
    let read = app.call_as(&app.ada, "GET", reply.header("location")).send().await.expect(200).json();
    assert_eq!(read["bookings"], series["bookings"]);
    let list = app.call_as(&app.ada, "GET", "/api/v1/series").send().await.expect(200).json();
    assert_eq!(list["items"][0]["id"], series["id"]);
    app.call_as(&app.bob, "GET", reply.header("location")).send().await.problem(404, "not_found");
    let list = app.call_as(&app.bob, "GET", "/api/v1/series").send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn what_the_clocks_skip_or_repeat_is_told() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let body = with(
        weekly(room, 1),
        json!({ "starts_at": "2026-03-28T01:30", "rule": "FREQ=DAILY;COUNT=3",
                                             "rdates": ["2026-10-25T01:30"] }),
    );
    let preview = post(&app, &app.ada, "/preview", body).await.expect(200).json();
    assert_eq!(
        column(&preview["occurrences"], "starts_at"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z", "2026-10-25T00:30:00Z"]
    );
    assert_eq!(column(&preview["occurrences"], "note"), ["-", "shifted", "-", "ambiguous"]);
    assert_eq!((&preview["bookable"], count(&app).await), (&json!(true), 0));
}

#[tokio::test]
async fn all_or_nothing_names_each_conflict_and_writes_nothing() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rival = book(&app, room, "2026-03-16", "09:30").await;
    book(&app, room, "2026-03-30", "07:30").await;
    app.events().await;
    let preview = post(&app, &app.ada, "/preview", weekly(room, 4)).await.expect(200).json();
    assert_eq!(column(&preview["occurrences"], "outcome"), ["booked", "refused", "booked", "refused"]);
    assert_eq!(preview["bookable"], json!(false));
    let problem = post(&app, &app.manager, "", weekly(room, 4)).await.problem(409, "series_conflict");
    let bad = &problem["occurrences"];
    assert_eq!(column(bad, "occurrence"), ["2026-03-16T09:00:00", "2026-03-30T09:00:00"]);
    assert_eq!(bad[0]["conflicts"][0]["booking_id"], rival["id"]);
    assert_eq!(bad[0]["alternatives"][0]["starts_at"], "2026-03-16T08:30:00Z");
    assert_eq!(count(&app).await, 2);
    assert!(app.event_types().await.is_empty(), "a refusal writes nothing");
}

#[tokio::test]
async fn conflicts_are_left_out_or_moved() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    book(&app, room, "2026-03-16", "09:30").await;
    let skip = with(weekly(room, 3), json!({ "on_conflict": "skip" }));
    let series = post(&app, &app.ada, "", skip).await.expect(201).json();
    assert_eq!(column(&series["occurrences"], "outcome"), ["booked", "skipped", "booked"]);
    assert_eq!(series["bookings"].as_array().unwrap().len(), 2);
    // Half past nine now meets what was booked just now, on all days but the sixteenth.
    let body = json!({ "starts_at": "2026-03-09T09:30", "on_conflict": "move" });
    let series = post(&app, &app.ada, "", with(weekly(room, 3), body)).await.expect(201).json();
    assert_eq!(column(&series["occurrences"], "outcome"), ["moved"; 3]);
    assert_eq!(
        column(&series["bookings"], "starts_at"),
        ["2026-03-09T10:00:00Z", "2026-03-16T08:30:00Z", "2026-03-23T10:00:00Z"]
    );
    assert_eq!(column(&series["bookings"], "occurrence")[0], "2026-03-09T09:30:00");
    let all_taken = with(weekly(room, 1), json!({ "on_conflict": "skip" }));
    post(&app, &app.ada, "", all_taken).await.problem(409, "series_conflict");
    app.events().await;
}

#[tokio::test]
async fn occurrences_of_one_series_count_together_and_the_rules_limit_series() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let quota = json!({ "policy": { "quotas": [{ "measure": "count", "limit": 2, "per": "month" }] } });
    app.rule(Scope::Resource, room.0, quota).await;
    let problem = post(&app, &app.ada, "", weekly(room, 4)).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "quota");
    assert_eq!(column(&problem["occurrences"], "occurrence"), ["2026-03-23T09:00:00", "2026-03-30T09:00:00"]);
    let skip = with(weekly(room, 5), json!({ "on_conflict": "skip" }));
    let series = post(&app, &app.ada, "", skip).await.expect(201).json();
    assert_eq!(
        column(&series["occurrences"], "outcome"),
        ["booked", "booked", "skipped", "skipped", "booked"]
    );
    // All of it moved together is no more than it was.
    let path = format!("/{}/change", series["id"].as_str().unwrap());
    post(&app, &app.ada, &path, json!({ "starts_at": "11:00" })).await.expect(200);
    let other = app.room("Bea", 8).await;
    let limits =
        json!({ "policy": { "recurrence": { "max_occurrences": 3, "horizon_minutes": 60 * 24 * 14 } } });
    app.rule(Scope::Resource, other.0, limits).await;
    let problem = post(&app, &app.ada, "", weekly(other, 4)).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "max_occurrences");
    let problem = post(&app, &app.ada, "", weekly(other, 3)).await.problem(422, "policy_violated");
    assert_eq!(problem["broken"][0]["rule"], "recurrence_horizon");
    post(&app, &app.ada, "", weekly(other, 1)).await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn what_follows_is_changed_and_cancelled_together() {
    let app = Bookings::start().await;
    let (room, other) = (app.room("Ada", 8).await, app.room("Bea", 8).await);
    let series = post(&app, &app.ada, "", weekly(room, 4)).await.expect(201).json();
    let path = |verb: &str| format!("/{}/{verb}", series["id"].as_str().unwrap());
    app.events().await;
    let body = json!({ "scope": "following", "from": "2026-03-23T09:00:00", "starts_at": "10:30", "duration_minutes": 30,
                       "resource_id": other, "title": "Smaller team" });
    let changed = post(&app, &app.ada, &path("change"), body).await.expect(200).json();
    assert_eq!(
        column(&changed["bookings"], "starts_at"),
        ["2026-03-09T09:00:00Z", "2026-03-16T09:00:00Z", "2026-03-23T10:30:00Z", "2026-03-30T09:30:00Z"]
    );
    assert_eq!(column(&changed["bookings"], "title"), ["Team", "Team", "Smaller team", "Smaller team"]);
    assert_eq!(
        (&changed["version"], &changed["bookings"][3]["resources"][0]["name"]),
        (&json!(2), &json!("Bea"))
    );
    assert_eq!(app.event_types().await, ["booking.moved", "booking.moved", "series.changed"]);

    // The room is taken on the sixteenth at noon: no booking moves.
    book(&app, room, "2026-03-16", "12:00").await;
    app.events().await;
    let noon = json!({ "starts_at": "12:00", "resource_id": room });
    let problem = post(&app, &app.ada, &path("change"), noon).await.problem(409, "series_conflict");
    assert_eq!(column(&problem["occurrences"], "occurrence"), ["2026-03-16T09:00:00"]);
    post(&app, &app.ada, &path("change"), json!({ "title": "All" })).await.expect(200);
    assert_eq!(
        app.event_types().await,
        ["booking.changed", "booking.changed", "booking.changed", "booking.changed", "series.changed"]
    );

    let body = json!({ "scope": "following", "from": "2026-03-16T09:00:00", "reason": "over" });
    let cancelled = post(&app, &app.ada, &path("cancel"), body).await.expect(200).json();
    assert_eq!(
        column(&cancelled["bookings"], "status"),
        ["confirmed", "cancelled", "cancelled", "cancelled"]
    );
    book(&app, room, "2026-03-16", "09:00").await;
    let bob = post(&app, &app.bob, &path("cancel"), json!({})).await;
    bob.problem(404, "not_found");
    post(&app, &app.ada, &path("cancel"), json!({})).await.expect(200);
    post(&app, &app.ada, &path("cancel"), json!({})).await.problem(409, "series_over");
    app.events().await;
}

#[tokio::test]
async fn of_two_series_at_one_time_one_is_booked_whole() {
    let app = Bookings::start().await;
    let rooms = [app.room("Ada", 8).await, app.room("Bea", 8).await];
    let calls = (0..8).map(|number| {
        let (first, second) = (rooms[number % 2], rooms[(number + 1) % 2]);
        let body = json!({ "resource_id": null, "resources": [{ "resource_id": first }, { "resource_id": second }],
                           "starts_at": format!("2026-03-09T09:0{number}") });
        post(&app, if number % 2 == 0 { &app.ada } else { &app.bob }, "", with(weekly(rooms[0], 10), body))
    });
    let statuses: Vec<u16> = join_all(calls).await.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|&status| status == 201 || status == 409), "{statuses:?}");
    assert_eq!(count(&app).await, 10);
    app.events().await;
}

#[tokio::test]
async fn a_series_and_a_booking_race_and_one_wins() {
    let app = Bookings::start().await;
    for round in 0..6 {
        let room = app.room(&format!("Room {round}"), 8).await;
        let single = json!({ "resource_id": room, "starts_at": "2026-03-23T09:30:00Z", "ends_at": "2026-03-23T10:30:00Z" });
        let single = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(single).send();
        let (series, single) = tokio::join!(post(&app, &app.ada, "", weekly(room, 4)), single);
        let statuses = [series.status.as_u16(), single.status.as_u16()];
        assert!(statuses == [201, 409] || statuses == [409, 201], "{statuses:?}");
    }
    app.events().await;
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_written() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    for (more, pointer, code) in [
        (json!({ "time_zone": "Mars/Olympus" }), "/time_zone", "unknown_zone"),
        (json!({ "rule": "FREQ=HOURLY;COUNT=2" }), "/rule", "sub_daily"),
        (json!({ "rule": "FREQ=DAILY;BYHOUR=9;COUNT=2" }), "/rule", "sub_daily"),
        (json!({ "rule": "FREQ=DAILY" }), "/rule", "endless"),
        (json!({ "rule": "FREQ=DAILY;COUNT=2;UNTIL=20260401" }), "/rule", "count_and_until"),
        (json!({ "rule": "FREQ=DAILY;COUNT=367" }), "/rule", "too_many_occurrences"),
        (json!({ "rule": "FREQ=YEARLY;COUNT=20" }), "/rule", "too_far"),
        (json!({ "rule": "FREQ=DAILY;UNTIL=20260101" }), "/rule", "no_occurrence"),
        (json!({ "rule": "FREQ=SOMETIMES" }), "/rule", "invalid_rule"),
        (json!({ "resource_id": null }), "/resource_id", "one_of"),
        (json!({ "resource_id": ResourceId::mint() }), "", ""),
    ] {
        for path in ["", "/preview"] {
            let reply = post(&app, &app.ada, path, with(weekly(room, 2), more.clone())).await;
            if code.is_empty() {
                // Nobody knows the resource, and the service that would is not there.
                reply.problem(503, "service_unavailable");
                continue;
            }
            let problem = reply.problem(422, "invalid_input");
            let error = &problem["errors"][0];
            assert_eq!(
                (error["pointer"].as_str(), error["code"].as_str()),
                (Some(pointer), Some(code)),
                "{more}"
            );
        }
    }
    for more in [
        json!({ "starts_at": "2026-03-09T09:00+01:00" }),
        json!({ "duration_minutes": 0 }),
        json!({ "rdates": vec!["2026-03-09T09:00"; 367] }),
        json!({ "on_conflict": "maybe" }),
    ] {
        post(&app, &app.ada, "", with(weekly(room, 2), more)).await.expect(422);
    }
    let others = with(weekly(room, 2), json!({ "on_behalf_of": app.bob.user }));
    post(&app, &app.ada, "", others).await.problem(403, "permission_required");
    let series = post(&app, &app.ada, "", weekly(room, 2)).await.expect(201).json();
    app.events().await;
    let path = format!("/{}/change", series["id"].as_str().unwrap());
    for (body, pointer) in [
        (json!({}), "/starts_at"),
        (json!({ "scope": "following", "title": "x" }), "/from"),
        (json!({ "from": "2026-03-16T09:00", "title": "x" }), "/from"),
    ] {
        let problem = post(&app, &app.ada, &path, body).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert!(app.event_types().await.is_empty());
}

#[tokio::test]
async fn a_new_title_is_not_judged_by_todays_rules_and_a_new_place_clears_the_flag() {
    let app = Bookings::start().await;
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let series = post(&app, &app.ada, "", weekly(room, 2)).await.expect(201).json();
    let change = format!("/{}/change", series["id"].as_str().unwrap());
    app.rule(Scope::Resource, room.0, json!({ "policy": { "max_minutes": 30 } })).await;
    let title = json!({ "title": "Team (new)" });
    let changed = post(&app, &app.ada, &change, title).await.expect(200).json();
    assert_eq!(column(&changed["bookings"], "title"), ["Team (new)"; 2]);
    post(&app, &app.ada, &change, json!({ "starts_at": "10:00" })).await.problem(422, "policy_violated");
    let closed = json!({ "scope": "resource", "scope_id": room, "starts_at": "2026-03-09T00:00:00Z",
                         "ends_at": "2026-03-10T00:00:00Z", "reason": "Painting" });
    app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(closed).send().await.expect(201);
    let moved = post(&app, &app.ada, &change, json!({ "resource_id": other })).await.expect(200).json();
    assert_eq!(moved["bookings"][0]["flag"], Value::Null);
    app.events().await;
}

#[tokio::test]
async fn a_refused_series_is_written_down_once() {
    let app = Bookings::start().await;
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let rivals =
        [book(&app, room, "2026-03-16", "09:00").await, book(&app, room, "2026-03-23", "09:30").await];
    let list = async || {
        let call = app.call_as(&app.manager, "GET", "/api/v1/conflicts?outcome=refused");
        call.send().await.expect(200).json()["items"].clone()
    };
    let problem = post(&app, &app.ada, "", weekly(room, 4)).await.problem(409, "series_conflict");
    let found = list().await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["id"]), (1, &problem["conflict_id"]));
    assert_eq!(found[0]["starts_at"], "2026-03-16T09:00:00Z", "the first that they are in the way of");
    let named = column(&found[0]["conflicts"], "booking_id");
    assert_eq!(named, rivals.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>());
    let series = post(&app, &app.ada, "", weekly(other, 4)).await.expect(201).json();
    let change = format!("/{}/change", series["id"].as_str().unwrap());
    let to_room = json!({ "resource_id": room });
    let problem = post(&app, &app.ada, &change, to_room).await.problem(409, "series_conflict");
    assert_eq!(list().await[0]["id"], problem["conflict_id"]);
    app.events().await;
}

#[tokio::test]
async fn a_series_is_moved_by_its_owner_until_the_deadline_of_each_booking() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let deadline = json!({ "policy": { "cancellation": { "deadline_minutes": 8 * 24 * 60 } } });
    app.rule(Scope::Resource, room.0, deadline).await;
    let series = post(&app, &app.ada, "", weekly(room, 2)).await.expect(201).json();
    let change = format!("/{}/change", series["id"].as_str().unwrap());
    let later = json!({ "starts_at": "10:00" });
    post(&app, &app.ada, &change, later.clone()).await.problem(409, "too_late_to_cancel");
    post(&app, &app.manager, &change, later).await.expect(200);
    app.events().await;
}
