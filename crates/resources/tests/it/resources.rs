//! Resources: created, read, changed, retired, listed.

use contracts::resources::{Resource, ResourceChanged};
use kernel::Role;
use serde_json::{Value, json};
use testkit::{Person, TestApp};

use super::{codes, create, manager, start};

async fn room(app: &TestApp, manager: &Person) -> (String, Value) {
    let body = json!({ "name": "Room 1", "type": "Room", "seats": 8, "amenities": ["Projector"],
                       "attributes": { "area_m2": 24.5 }, "time_zone": "europe/vienna", "external_id": "R-1" });
    let room = create(app, manager, "resources", body).await;
    (format!("/api/v1/resources/{}", room["id"].as_str().unwrap()), room)
}

#[tokio::test]
async fn a_resource_is_what_was_said_of_it() {
    let app = start().await;
    let manager = manager(&app).await;
    let (path, room) = room(&app, &manager).await;
    let expected = json!({ "name": "Room 1", "type": "room", "seats": 8, "units": 1, "amenities": ["projector"],
        "attributes": { "area_m2": 24.5 }, "time_zone": "Europe/Vienna", "external_id": "R-1", "status": "active",
        "version": 1, "location_id": null, "location": [], "parts": [] });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(room[name], *value, "{name}");
    }
    let events = app.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "reservas.resource.created.v1");
    assert_eq!(events[0].actorid, Some(manager.user));
    // Other services get the same state as the event carries.
    let internal = path.replace("/api/v1", &format!("/internal/organizations/{}", app.organization));
    let state: Resource =
        serde_json::from_value(app.call_internally("GET", &internal).send().await.json()).unwrap();
    assert_eq!(state, serde_json::from_value(events[0].data["resource"].clone()).unwrap());
    assert_eq!(state.type_name, "room");
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = start().await;
    let manager = manager(&app).await;
    let post = |body: Value| app.call_as(&manager, "POST", "/api/v1/resources").json(body).send();
    let body = json!({ "name": "R", "type": "rocket", "amenities": ["projector", "pool"], "time_zone": "Mars/Olympus",
                       "location_id": kernel::LocationId::mint(), "parts": [kernel::ResourceId::mint()],
                       "status": "retired" });
    let problem = post(body).await.problem(422, "invalid_input");
    assert_eq!(
        codes(&problem),
        ["unknown_type", "unknown_amenity", "unknown_location", "unknown_part", "unknown_time_zone"]
    );
    assert_eq!(problem["errors"][1]["pointer"], "/amenities/1");
    for (pointer, body) in [
        ("/seats", json!({ "name": "R", "type": "room", "seats": -1 })),
        ("/units", json!({ "name": "R", "type": "room", "units": 0 })),
        ("/attributes", json!({ "name": "R", "type": "room", "attributes": { "a": "x".repeat(20_000) } })),
        ("/external_id", json!({ "name": "R", "type": "room", "external_id": " " })),
        ("/name", json!({ "name": "x".repeat(201), "type": "room" })),
        ("/status", json!({ "name": "R", "type": "room", "status": "retired" })),
        ("/colour", json!({ "name": "R", "type": "room", "colour": "red" })),
    ] {
        let problem = post(body).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert!(app.event_types().await.is_empty());
}

#[tokio::test]
async fn a_repeated_request_creates_one_resource() {
    let app = start().await;
    let manager = manager(&app).await;
    let call = || {
        let call = app.call_as(&manager, "POST", "/api/v1/resources").header("idempotency-key", "once");
        call.json(json!({ "name": "R", "type": "room" })).send()
    };
    let (first, second) = (call().await.expect(201), call().await.expect(201));
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(app.event_types().await, ["resource.created"]);
}

#[tokio::test]
async fn a_change_replaces_what_was_sent_and_nothing_else() {
    let app = start().await;
    let manager = manager(&app).await;
    let (path, _) = room(&app, &manager).await;
    // In the cache, so that the change has something to forget.
    let read = app.call_as(&manager, "GET", &path).send().await.expect(200);
    let patch = |tag: &str, body: Value| {
        app.call_as(&manager, "PATCH", &path).header("if-match", tag).json(body).send()
    };
    let change = json!({ "name": "Room One", "seats": null, "amenities": [], "status": "maintenance" });
    let changed = patch(read.header("etag"), change).await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    let now = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!(now, changed.json());
    assert_eq!(
        (&now["name"], &now["seats"], &now["amenities"]),
        (&json!("Room One"), &Value::Null, &json!([]))
    );
    assert_eq!((&now["attributes"], &now["external_id"]), (&json!({ "area_m2": 24.5 }), &json!("R-1")));
    patch(read.header("etag"), json!({ "name": "Late" })).await.problem(412, "stale_version");
    let without = app.call_as(&manager, "PATCH", &path).json(json!({ "name": "x" }));
    without.send().await.problem(428, "if_match_required");
    let same = patch("\"2\"", json!({ "name": "Room One" })).await.expect(200);
    assert_eq!(same.header("etag"), "\"2\"", "nothing changed, so nothing happened");
    let events = app.events().await;
    let event: ResourceChanged = serde_json::from_value(events[1].data.clone()).unwrap();
    assert_eq!((event.before.version, event.resource.version), (1, 2));
    assert_eq!((event.before.name.as_str(), event.resource.name.as_str()), ("Room 1", "Room One"));
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let app = start().await;
    let manager = manager(&app).await;
    let (path, _) = room(&app, &manager).await;
    let user = app.person(Role::User);
    let first = app.call_as(&user, "GET", &path).send().await.expect(200);
    let second = app.call_as(&user, "GET", &path).send().await.expect(200);
    assert_eq!(first.body, second.body, "from the cache as from the database");
    app.call_as(&user, "GET", &path).header("if-none-match", first.header("etag")).send().await.expect(304);
    assert_eq!(app.event_types().await, ["resource.created"]);
}

#[tokio::test]
async fn an_external_id_is_taken_once() {
    let app = start().await;
    let manager = manager(&app).await;
    room(&app, &manager).await;
    let second = json!({ "name": "Other", "type": "room", "external_id": "R-1" });
    app.call_as(&manager, "POST", "/api/v1/resources")
        .json(&second)
        .send()
        .await
        .problem(409, "external_id_taken");
    let other = create(&app, &manager, "resources", json!({ "name": "Other", "type": "room" })).await;
    let path = format!("/api/v1/resources/{}", other["id"].as_str().unwrap());
    let patch =
        app.call_as(&manager, "PATCH", &path).header("if-match", "*").json(json!({ "external_id": "R-1" }));
    patch.send().await.problem(409, "external_id_taken");
    assert_eq!(app.event_types().await, ["resource.created", "resource.created"]);
}

#[tokio::test]
async fn a_retired_resource_stays_readable_and_never_changes() {
    let app = start().await;
    let manager = manager(&app).await;
    let (path, _) = room(&app, &manager).await;
    let delete = |tag: &str| app.call_as(&manager, "DELETE", &path).header("if-match", tag).send();
    app.call_as(&manager, "DELETE", &path).send().await.problem(428, "if_match_required");
    delete("\"7\"").await.problem(412, "stale_version");
    delete("\"1\"").await.expect(204);
    delete("\"2\"").await.expect(204);
    let read = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!((&read["status"], &read["version"]), (&json!("retired"), &json!(2)));
    let patch =
        app.call_as(&manager, "PATCH", &path).header("if-match", "*").json(json!({ "status": "active" }));
    patch.send().await.problem(409, "resource_retired");
    for (query, count) in [("", 0), ("?status=retired", 1)] {
        let page = app
            .call_as(&manager, "GET", &format!("/api/v1/resources{query}"))
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(app.event_types().await, ["resource.created", "resource.retired"]);
}

#[tokio::test]
async fn a_list_is_filtered_and_goes_page_by_page() {
    let app = start().await;
    let manager = manager(&app).await;
    create(&app, &manager, "resource-types", json!({ "name": "desk" })).await;
    let site = create(&app, &manager, "locations", json!({ "name": "North", "kind": "site" })).await;
    let house = json!({ "name": "House", "kind": "building", "parent_id": site["id"] });
    let house = create(&app, &manager, "locations", house).await;
    for body in [
        json!({ "name": "Ärzte-Zimmer", "type": "room", "seats": 4, "location_id": site["id"] }),
        json!({ "name": "big room", "type": "room", "seats": 40, "location_id": house["id"], "external_id": "B" }),
        json!({ "name": "Big room", "type": "room", "seats": 30 }),
        json!({ "name": "Desk 100%", "type": "desk", "status": "maintenance" }),
    ] {
        create(&app, &manager, "resources", body).await;
    }
    let names = async |query: &str| {
        let page = app
            .call_as(&manager, "GET", &format!("/api/v1/resources?{query}"))
            .send()
            .await
            .expect(200)
            .json();
        let names: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(", "), page["next_cursor"].as_str().map(str::to_owned))
    };
    let site_id = site["id"].as_str().unwrap();
    for (query, expected) in [
        ("", "big room, Big room, Desk 100%, Ärzte-Zimmer"),
        ("type=DESK", "Desk 100%"),
        ("seats_min=30", "big room, Big room"),
        ("q=%25", "Desk 100%"),
        ("q=%C3%84RZTE", "Ärzte-Zimmer"),
        ("external_id=B", "big room"),
        ("status=maintenance", "Desk 100%"),
        (&format!("location_id={site_id}"), "big room, Ärzte-Zimmer"),
        (&format!("location_id={}", house["id"].as_str().unwrap()), "big room"),
        ("type=rocket", ""),
    ] {
        assert_eq!(names(query).await, (expected.to_owned(), None), "{query}");
    }
    let mut all = Vec::new();
    let mut query = "limit=1".to_owned();
    while let (name, Some(cursor)) = names(&query).await {
        all.push(name);
        query = format!("limit=1&cursor={cursor}");
    }
    assert_eq!(all, ["big room", "Big room", "Desk 100%"], "the last page has no cursor");
    app.call_as(&manager, "GET", "/api/v1/resources?limit=500").send().await.problem(422, "invalid_input");
    assert_eq!(app.event_types().await.len(), 4);
}
