//! Availability: free and busy times, and the search by need.

use contracts::resources::{Resource, ResourceStatus};
use contracts::rules::Scope;
use kernel::LocationId;
use serde_json::{Value, json};

use crate::harness::{Bookings, at, room};

async fn search(app: &Bookings, query: &str) -> Vec<String> {
    let path = format!("/api/v1/availability?from={}&to={}&{query}", at("13:00"), at("18:00"));
    let found: Value = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    found["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_search_finds_what_fits_and_is_free() {
    let app = Bookings::start().await;
    let elsewhere = LocationId::mint();
    for (name, seats) in [("Small", 4), ("Medium", 8), ("Large", 30)] {
        app.room(name, seats).await;
    }
    app.tell(Resource { amenities: [].into(), location_path: vec![elsewhere], ..room("Plain", 10) }).await;
    app.tell(Resource { status: ResourceStatus::Maintenance, ..room("Closed", 8) }).await;
    app.tell(Resource { type_name: "desk".into(), ..room("Desk", 1) }).await;
    let busy = app.room("Busy", 9).await;
    app.book(busy, "12:00", "15:00").await;
    app.book(busy, "16:00", "19:00").await;

    assert_eq!(search(&app, "duration_minutes=90&seats=8&amenities=projector").await, ["Medium", "Large"]);
    assert_eq!(
        search(&app, "duration_minutes=60&seats=8&type=Meeting%20Room").await,
        ["Medium", "Busy", "Plain", "Large"]
    );
    assert_eq!(search(&app, &format!("location_id={elsewhere}")).await, ["Plain"]);
    assert_eq!(search(&app, "q=ARG").await, ["Large"]);
    assert_eq!(search(&app, "type=desk").await, ["Desk"]);
    assert_eq!(search(&app, "limit=1").await, ["Desk"]);
}

#[tokio::test]
async fn attributes_are_compared_as_texts_and_numbers() {
    let app = Bookings::start().await;
    for (name, attributes) in [
        ("Red", json!({ "colour": "red", "doors": 4 })),
        ("Blue", json!({ "colour": "Blue", "doors": 5, "electric": true })),
        ("Odd", json!({ "doors": "many" })),
    ] {
        let attributes = attributes.as_object().unwrap().clone();
        app.tell(Resource { attributes, ..room(name, 8) }).await;
    }
    assert_eq!(search(&app, "attributes=colour%3DRED").await, ["Red"]);
    assert_eq!(search(&app, "attributes=doors%3E%3D4.5").await, ["Blue"]);
    assert_eq!(search(&app, "attributes=doors%3C%3D5").await, ["Blue", "Red"]);
    assert_eq!(search(&app, "attributes=doors%3C%3D5,electric%3Dtrue").await, ["Blue"]);
    assert_eq!(search(&app, "attributes=wheels%3D4").await, [""; 0]);
    let path = format!("/api/v1/availability?from={}&to={}&attributes=doors", at("13:00"), at("18:00"));
    app.call_as(&app.bob, "GET", &path).send().await.problem(422, "invalid_input");
}

#[tokio::test]
async fn what_is_found_can_be_booked_and_says_what_that_means() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 10).await;
    let rules = json!({
        "policy": { "grid_minutes": 30, "lead_minutes": 330, "approval": { "always": true } },
        "prices": { "currency": "EUR", "prices": [{ "name": "Room", "per": "hour", "amount": 1200 }] },
    });
    app.book(room, "12:00", "13:10").await;
    app.rule(contracts::rules::Scope::Resource, room.0, rules).await;
    let path =
        format!("/api/v1/availability?from={}&to={}&duration_minutes=60&seats=8", at("12:00"), at("18:00"));
    let found = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    let found = &found["items"][0];
    assert_eq!(found["free"][0]["starts_at"], at("13:10"));
    assert_eq!(found["first"], json!({ "starts_at": at("13:30"), "ends_at": at("14:30") }));
    assert_eq!(found["fit"]["spare_seats"], 2);
    assert_eq!(found["fit"]["needs_approval"], true);
    assert_eq!(found["fit"]["quote"]["total"], json!({ "amount": 1200, "currency": "EUR" }));
    let body = json!({ "resource_id": room, "starts_at": found["first"]["starts_at"], "attendees": 8,
                       "ends_at": found["first"]["ends_at"] });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
    app.events().await;
}

#[tokio::test]
async fn the_search_says_what_is_wrong_with_a_need() {
    let app = Bookings::start().await;
    let ask = async |query: String| {
        app.call_as(&app.bob, "GET", &format!("/api/v1/availability?{query}")).send().await
    };
    let window = format!("from={}&to={}", at("13:00"), at("18:00"));
    ask(format!("{window}&seat=8")).await.problem(400, "invalid_query");
    ask(format!("{window}&seats=0")).await.problem(422, "invalid_input");
    ask(format!("{window}&duration_minutes=301")).await.problem(422, "invalid_input");
    ask(format!("from={}&to={}", at("13:00"), at("13:00"))).await.problem(422, "invalid_input");
    let _ =
        ask("from=2026-03-02T00:00:00Z&to=2026-07-02T00:00:00Z".into()).await.problem(422, "invalid_input");
}

#[tokio::test]
async fn free_and_busy_times_complete_each_other() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "09:00", "10:00").await;
    app.book(room, "12:00", "13:00").await;
    let path = format!("/api/v1/resources/{room}/free-busy?from={}&to={}", at("09:30"), at("14:00"));
    let answer = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    let slot = |from, to| json!({ "starts_at": at(from), "ends_at": at(to) });
    assert_eq!(answer["busy"], json!([slot("09:30", "10:00"), slot("12:00", "13:00")]));
    assert_eq!(answer["free"], json!([slot("10:00", "12:00"), slot("13:00", "14:00")]));
    assert_eq!(answer["units"], json!([]));
    let stranger = testkit::Person::new(kernel::OrganizationId::mint(), kernel::Role::Admin);
    // To them it is unknown; the resource service, which would be asked for it, does not run here.
    app.call_as(&stranger, "GET", &path).send().await.problem(503, "service_unavailable");
}

#[tokio::test]
async fn a_pool_shows_its_units_and_a_whole_its_parts() {
    let app = Bookings::start().await;
    let pool = app.tell(Resource { units: 2, ..room("Laptops", 1) }).await;
    let part = app.room("Left", 8).await;
    let whole = app.tell(Resource { parts: [part].into(), ..room("Hall", 80) }).await;
    app.book(pool, "10:00", "11:00").await;
    app.book(part, "10:00", "11:00").await;
    let ask = async |id| {
        let path = format!("/api/v1/resources/{id}/free-busy?from={}&to={}", at("09:00"), at("12:00"));
        app.call_as(&app.bob, "GET", &path).send().await.expect(200).json()
    };
    let answer = ask(pool).await;
    assert_eq!(answer["busy"], json!([]), "the second laptop is free");
    assert_eq!(answer["units"][0]["busy"][0]["starts_at"], at("10:00"));
    assert_eq!(answer["units"][1]["busy"], json!([]));
    assert_eq!(ask(whole).await["busy"][0]["starts_at"], at("10:00"));
}

#[tokio::test]
async fn what_is_shown_as_bookable_keeps_the_rules_in_search_calendar_and_next_free() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let rules = json!({
        "policy": { "buffer_after_minutes": 30 },
        "schedule": { "weekly": [{ "days": ["monday"], "opens": "10:00", "closes": "13:00" }] },
    });
    app.rule(contracts::rules::Scope::Resource, room.0, rules).await;
    app.book(room, "10:00", "11:00").await;
    let window = format!("from={}&to={}", at("08:00"), at("18:00"));
    let get = async |path: String| app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    let busy = get(format!("/api/v1/resources/{room}/free-busy?{window}")).await;
    let bookable = json!([{ "starts_at": at("11:30"), "ends_at": at("13:00") }]);
    assert_eq!(busy["bookable"], bookable);
    let grid = get(format!("/api/v1/calendar?resource_ids={room}&{window}")).await;
    assert_eq!(grid["items"][0]["bookable"], bookable);
    let found = get(format!("/api/v1/availability?{window}&duration_minutes=60")).await;
    assert_eq!(found["items"][0]["free"], bookable);
    let none = get(format!("/api/v1/availability?{window}&duration_minutes=120")).await;
    assert_eq!(none["items"], json!([]));
    let next = get(format!("/api/v1/resources/{room}/next-free?duration_minutes=60")).await;
    assert_eq!(next["slot"], json!({ "starts_at": at("11:30"), "ends_at": at("12:30") }));
    assert_eq!(next["free_until"], at("13:00"));
    // Next Monday.
    let next = get(format!("/api/v1/resources/{room}/next-free?duration_minutes=120")).await;
    assert_eq!(next["slot"]["starts_at"], "2026-03-09T10:00:00Z");
}

#[tokio::test]
async fn without_a_window_it_is_the_resources_own_day() {
    let app = Bookings::start().await;
    let room = app.tell(Resource { time_zone: "Pacific/Auckland".into(), ..room("Kiwi", 4) }).await;
    let get = async |query: &str| {
        let path = format!("/api/v1/resources/{room}/free-busy{query}");
        app.call_as(&app.bob, "GET", &path).send().await
    };
    let today = get("").await.expect(200).json();
    let day = app.now().in_tz("Pacific/Auckland").unwrap().start_of_day().unwrap();
    let next = day.tomorrow().unwrap();
    assert_eq!(today["window"]["starts_at"], day.timestamp().to_string());
    assert_eq!(today["window"]["ends_at"], next.timestamp().to_string());
    for half in [format!("?from={}", at("09:00")), format!("?to={}", at("09:00"))] {
        let refused = get(&half).await.problem(422, "invalid_input");
        assert_eq!(refused["errors"][0]["code"], "required");
    }
}

#[tokio::test]
async fn the_schedule_is_that_of_all_rules_together() {
    let app = Bookings::start().await;
    let room = app.room("Blue", 4).await;
    let path = format!("/api/v1/resources/{room}/schedule");
    let always = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    assert!(always["schedule"].is_null() && always["time_zone"].is_string(), "{always}");
    let hours = json!({ "weekly": [{ "days": ["monday"], "opens": "08:00:00", "closes": "18:00:00" }] });
    app.rule(Scope::Resource, room.0, json!({ "schedule": hours })).await;
    let open = app.call_as(&app.bob, "GET", &path).send().await.expect(200).json();
    assert_eq!(open["schedule"], hours);
    let nowhere = format!("/api/v1/resources/{}/schedule", kernel::ResourceId::mint());
    app.call_as(&app.bob, "GET", &nowhere).send().await.problem(503, "service_unavailable");
}

#[tokio::test]
async fn upcoming_bookings_stand_and_have_not_ended() {
    let app = Bookings::start().await;
    let room = app.room("Blue", 4).await;
    let kept = app.book(room, "12:00", "13:00").await;
    let given_up = app.book(room, "14:00", "15:00").await;
    let cancel = format!("/api/v1/bookings/{}/cancel", given_up["id"].as_str().unwrap());
    app.call_as(&app.ada, "POST", &cancel).json(json!({})).send().await.expect(200);
    app.events().await;
    let list = async |query: &str| {
        let path = format!("/api/v1/bookings?user_id={}{query}", app.ada.user);
        let found: Value = app.call_as(&app.ada, "GET", &path).send().await.expect(200).json();
        found["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await.len(), 2);
    assert_eq!(list("&upcoming=true").await, [kept["id"].clone()]);
    assert_eq!(list("&upcoming=false").await.len(), 2);
    app.clock.set(at("13:00").parse().unwrap());
    assert_eq!(list("&upcoming=true").await, [Value::Null; 0], "what has ended is not to come");
}
