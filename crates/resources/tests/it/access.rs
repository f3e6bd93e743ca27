//! Who may: nobody without a token, users read, managers change, and no organization sees another.

use kernel::{OrganizationId, Role};
use serde_json::json;
use testkit::Person;

use super::{create, manager, start};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn every_operation_wants_a_token_and_changes_want_a_manager() {
    let app = start().await;
    let user = app.person(Role::User);
    let one = format!("/api/v1/resources/{UNKNOWN}");
    let lists = ["/api/v1/resource-types", "/api/v1/locations", "/api/v1/amenities", "/api/v1/resources"];
    for path in lists {
        app.call("GET", path).send().await.problem(401, "token_required");
        app.call_as(&user, "GET", path).send().await.expect(200);
        app.call("POST", path).json(json!({})).send().await.problem(401, "token_required");
        app.call_as(&user, "POST", path)
            .json(json!({ "name": "x" }))
            .send()
            .await
            .problem(403, "permission_required");
        app.call("GET", &format!("{path}/{UNKNOWN}")).send().await.problem(401, "token_required");
        let _ =
            app.call_as(&user, "GET", &format!("{path}/{UNKNOWN}")).send().await.problem(404, "not_found");
    }
    for (method, path) in [("PATCH", one.as_str()), ("DELETE", &one), ("POST", "/api/v1/resources/import")] {
        app.call(method, path).json(json!({})).send().await.problem(401, "token_required");
        let _ =
            app.call_as(&user, method, path).json(json!({})).send().await.problem(403, "permission_required");
    }
    let internal = format!("/internal/organizations/{}/resources/{UNKNOWN}", app.organization);
    app.call("GET", &internal).send().await.problem(401, "internal_token_required");
    app.call_as(&user, "GET", &internal).send().await.problem(401, "internal_token_required");
    app.call_internally("GET", &internal).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn another_organization_sees_nothing() {
    let app = start().await;
    let ours = manager(&app).await;
    let room =
        create(&app, &ours, "resources", json!({ "name": "Room", "type": "room", "external_id": "R" })).await;
    let place = create(&app, &ours, "locations", json!({ "name": "North", "kind": "site" })).await;
    let theirs = Person::new(OrganizationId::mint(), Role::Admin);
    let path = format!("/api/v1/resources/{}", room["id"].as_str().unwrap());
    // Once from the database and once from the cache.
    app.call_as(&ours, "GET", &path).send().await.expect(200);
    app.call_as(&ours, "GET", &path).send().await.expect(200);
    app.call_as(&theirs, "GET", &path).send().await.problem(404, "not_found");
    let patch = app.call_as(&theirs, "PATCH", &path).header("if-match", "*");
    patch.json(json!({ "name": "Theirs" })).send().await.problem(404, "not_found");
    let _ =
        app.call_as(&theirs, "DELETE", &path).header("if-match", "*").send().await.problem(404, "not_found");
    for list in ["resource-types", "locations", "amenities", "resources"] {
        let page = app.call_as(&theirs, "GET", &format!("/api/v1/{list}")).send().await.expect(200).json();
        assert_eq!(page["items"], json!([]), "{list}");
    }
    let internal =
        format!("/internal/organizations/{}/resources/{}", theirs.organization, room["id"].as_str().unwrap());
    app.call_internally("GET", &internal).send().await.problem(404, "not_found");
    // Neither by reference: our place, our resource as a part.
    create(&app, &theirs, "resource-types", json!({ "name": "room" })).await;
    let body = json!({ "name": "X", "type": "room", "location_id": place["id"], "parts": [room["id"]] });
    let problem = app
        .call_as(&theirs, "POST", "/api/v1/resources")
        .json(body)
        .send()
        .await
        .problem(422, "invalid_input");
    assert_eq!(super::codes(&problem), ["unknown_location", "unknown_part"]);
    // The same external id is free for them.
    create(&app, &theirs, "resources", json!({ "name": "Room", "type": "room", "external_id": "R" })).await;
    assert_eq!(app.event_types().await, ["resource.created", "resource.created"]);
}
