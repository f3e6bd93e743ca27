//! The schedule in force: its hours, what is special about days and why, closures, and where each comes from.

use contracts::rules::Scope;
use serde_json::{Value, json};

use crate::harness::{Bookings, room};

/// Office hours in Portugal, closed on its holidays.
fn office() -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    json!({ "schedule": { "weekly": [{ "days": days, "opens": "09:00", "closes": "17:00" }],
                          "overrides": [{ "from": "2026-04-02", "until": "2026-04-02", "name": "Half a day",
                                          "hours": [{ "opens": "09:00", "closes": "12:00" }] }],
                          "holidays": { "country": "PT" } } })
}

#[tokio::test]
async fn one_call_tells_hours_holidays_and_closures_with_their_origins() {
    let app = Bookings::start().await;
    let resource = room("Ada", 8);
    let (id, kind, place) = (app.tell(resource.clone()).await, resource.type_id, resource.location_path[0]);
    app.rule(Scope::Type, kind.0, office()).await;
    let close = json!({ "scope": "location", "scope_id": place, "reason": "Works",
                        "starts_at": "2026-04-06T08:00:00Z", "ends_at": "2026-04-06T10:00:00Z" });
    app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(close).send().await.expect(201);
    let path = format!("/api/v1/resources/{id}/schedule?from=2026-04-01T00:00:00Z&to=2026-04-07T00:00:00Z");
    let told = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    let slot = |from: &str, to: &str| json!({ "starts_at": from, "ends_at": to });
    let open = json!([
        slot("2026-04-01T08:00:00Z", "2026-04-01T16:00:00Z"),
        slot("2026-04-02T08:00:00Z", "2026-04-02T11:00:00Z"),
        slot("2026-04-06T08:00:00Z", "2026-04-06T16:00:00Z"),
    ]);
    assert_eq!(told["open"], open, "{told:#}");
    let special = |day: usize| (&told["special_days"][day]["date"], &told["special_days"][day]["name"]);
    assert_eq!(special(0), (&json!("2026-04-02"), &json!("Half a day")));
    assert_eq!(special(1), (&json!("2026-04-03"), &json!("Good Friday")));
    assert_eq!(told["special_days"][1]["kind"], "holiday");
    assert_eq!(told["schedule_from"], json!({ "scope": "type", "scope_id": kind, "version": 1 }));
    let closure = &told["closures"][0];
    assert_eq!((&closure["reason"], &closure["scope_id"]), (&json!("Works"), &json!(place)));
    // Without a window: today, by the clock of the resource.
    let today = app.call_as(&app.bob, "GET", &format!("/api/v1/resources/{id}/schedule")).send().await;
    assert_eq!(today.expect(200).json()["window"]["starts_at"], "2026-03-02T00:00:00Z");
    app.events().await;
}

#[tokio::test]
async fn closures_lie_over_each_kind_of_scope() {
    let app = Bookings::start().await;
    let resource = room("Ada", 8);
    let id = app.tell(resource.clone()).await;
    let scopes = [
        (Scope::Organization, app.organization.0),
        (Scope::Type, resource.type_id.0),
        (Scope::Location, resource.location_path[0].0),
        (Scope::Resource, id.0),
    ];
    for (hour, (scope, scope_id)) in scopes.iter().enumerate() {
        let at = |minute: u8| format!("2026-03-02T1{hour}:{minute:02}:00Z");
        let close = json!({ "scope": scope, "scope_id": scope_id, "reason": "Works",
                            "starts_at": at(0), "ends_at": at(30) });
        app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(close).send().await.expect(201);
        let ask = json!({ "resource_id": id, "starts_at": at(0), "ends_at": at(30) });
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(ask).send().await.problem(409, "slot_taken");
    }
    let told = app.call_as(&app.bob, "GET", &format!("/api/v1/resources/{id}/schedule")).send().await;
    let told = told.expect(200).json();
    let names: Vec<_> = told["closures"].as_array().unwrap().iter().map(|one| &one["scope"]).collect();
    assert_eq!(names, ["organization", "type", "location", "resource"]);
    app.events().await;
}

#[tokio::test]
async fn holidays_refuse_what_comes_and_flag_what_is_there() {
    let app = Bookings::start().await;
    let resource = room("Ada", 8);
    let id = app.tell(resource.clone()).await;
    let ask =
        json!({ "resource_id": id, "starts_at": "2026-04-03T09:00:00Z", "ends_at": "2026-04-03T10:00:00Z" });
    let booked = app.call_as(&app.ada, "POST", "/api/v1/bookings").json(&ask).send().await.expect(201).json();
    app.rule(Scope::Resource, id.0, office()).await;
    app.run_jobs().await;
    assert!(app.event_types().await.contains(&"booking.flagged".to_owned()));
    let path = format!("/api/v1/bookings/{}", booked["id"].as_str().unwrap());
    let kept = app.call_as(&app.ada, "GET", &path).send().await.expect(200).json();
    assert_eq!((&kept["status"], &kept["flag"]), (&json!("confirmed"), &json!("outside_hours")));
    let refused = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&ask).send().await;
    assert_eq!(refused.problem(422, "policy_violated")["broken"][0]["rule"], "opening_hours");
    // Nothing of that day is offered either.
    let free = format!("/api/v1/resources/{id}/free-busy?from=2026-04-03T00:00:00Z&to=2026-04-04T00:00:00Z");
    let free = app.call_as(&app.bob, "GET", &free).send().await.expect(200).json();
    assert_eq!(free["bookable"], json!([]));
    app.events().await;
}

#[tokio::test]
async fn each_rule_in_force_names_where_it_comes_from() {
    let app = Bookings::start().await;
    let resource = room("Ada", 8);
    let (id, group) = (app.tell(resource.clone()).await, kernel::GroupId::mint());
    app.account(&app.ada, kernel::Role::User, &[group]).await;
    app.rule(Scope::Organization, app.organization.0, json!({ "policy": { "max_minutes": 240 } })).await;
    app.rule(Scope::Group, group.0, json!({ "policy": { "max_minutes": 60 } })).await;
    let of_resource = json!({ "policy": { "access": { "book": { "groups": [group] } } },
                              "prices": { "currency": "EUR", "prices": [
                                  { "name": "Cleaning", "amount": 500, "per": "use", "min_minutes": 600 },
                                  { "name": "Room", "amount": 1000, "per": "hour" }] } });
    app.rule(Scope::Resource, id.0, of_resource).await;
    let path = format!("/api/v1/resources/{id}/policy");
    let read = async |person, path: &str| app.call_as(person, "GET", path).send().await;
    let rule = |told: &Value, name: &str| {
        let rules = told["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == name).cloned().unwrap_or_default()
    };
    let own = read(&app.ada, &path).await.expect(200).json();
    let longest = rule(&own, "max_minutes");
    assert_eq!(longest["value"], 60);
    assert_eq!(longest["from"], json!([{ "scope": "group", "scope_id": group, "version": 2 }]));
    assert_eq!(
        (&own["sees"], &own["books"], own["layers"].as_array().unwrap().len()),
        (&json!(true), &json!(true), 3)
    );
    let bobs = read(&app.bob, &path).await.expect(200).json();
    assert_eq!((&rule(&bobs, "max_minutes")["value"], &bobs["books"]), (&json!(240), &json!(false)));
    // For another person, with permission.
    let of_ada = format!("{path}?user_id={}", app.ada.user);
    read(&app.bob, &of_ada).await.problem(403, "permission_required");
    assert_eq!(rule(&read(&app.manager, &of_ada).await.expect(200).json(), "max_minutes")["value"], 60);
    // And a quote names the price that gave each line.
    let booking = app.book(id, "10:00", "11:00").await;
    let line = json!({ "name": "Room", "amount": 1000, "per": "hour", "count": 60, "units": 1, "total": 1000,
                       "resource_id": id,
                       "from": { "scope": "resource", "scope_id": id, "version": 3, "price": 1 } });
    assert_eq!(booking["quote"]["lines"], json!([line]));
}
