//! Types, amenities and locations.

use serde_json::{Value, json};

use super::{create, manager, start};

#[tokio::test]
async fn names_are_unique_whatever_their_case() {
    let app = start().await;
    let manager = manager(&app).await;
    for (noun, body) in
        [("resource-types", json!({ "name": " ROOM " })), ("amenities", json!({ "name": "Projector" }))]
    {
        app.call_as(&manager, "POST", &format!("/api/v1/{noun}"))
            .json(body)
            .send()
            .await
            .problem(409, "name_taken");
    }
    let amenities = app.call_as(&manager, "POST", "/api/v1/amenities");
    amenities.json(json!({ "name": "" })).send().await.problem(422, "invalid_input");
}

#[tokio::test]
async fn what_was_created_is_read_with_its_tag() {
    let app = start().await;
    let manager = manager(&app).await;
    for (noun, body) in [
        ("resource-types", json!({ "name": "desk" })),
        ("amenities", json!({ "name": "screen" })),
        ("locations", json!({ "name": "North", "kind": "site", "code": "N" })),
    ] {
        let reply =
            app.call_as(&manager, "POST", &format!("/api/v1/{noun}")).json(&body).send().await.expect(201);
        let read = app.call_as(&manager, "GET", reply.header("location")).send().await.expect(200);
        assert_eq!(read.json(), reply.json());
        assert_eq!(read.header("etag"), reply.header("etag"));
        let again = app
            .call_as(&manager, "GET", reply.header("location"))
            .header("if-none-match", read.header("etag"));
        again.send().await.expect(304);
    }
}

#[tokio::test]
async fn a_repeated_request_creates_once() {
    let app = start().await;
    let manager = manager(&app).await;
    let call = |name: &str| {
        let call = app.call_as(&manager, "POST", "/api/v1/resource-types").header("idempotency-key", "once");
        call.json(json!({ "name": name })).send()
    };
    let first = call("desk").await.expect(201);
    let second = call("desk").await.expect(201);
    assert_eq!(first.body, second.body);
    call("table").await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn lists_go_page_by_page_in_the_order_of_names() {
    let app = start().await;
    let manager = manager(&app).await;
    for name in ["alpha", "Zeta", "beta", "Öl"] {
        create(&app, &manager, "amenities", json!({ "name": name })).await;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/amenities?limit=2".to_owned();
    loop {
        let page = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
        names.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        let Value::String(cursor) = &page["next_cursor"] else { break };
        path = format!("/api/v1/amenities?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["alpha", "beta", "projector", "Zeta", "Öl"]);
    app.call_as(&manager, "GET", "/api/v1/amenities?cursor=x").send().await.problem(400, "invalid_cursor");
    app.call_as(&manager, "GET", "/api/v1/amenities?sort=name").send().await.problem(400, "invalid_query");
}

#[tokio::test]
async fn locations_form_a_tree() {
    let app = start().await;
    let manager = manager(&app).await;
    let site =
        create(&app, &manager, "locations", json!({ "name": "North", "kind": "site", "code": "N" })).await;
    let house = json!({ "name": "House", "kind": "building", "parent_id": site["id"], "code": "NH" });
    let house = create(&app, &manager, "locations", house).await;
    let other = create(&app, &manager, "locations", json!({ "name": "House", "kind": "building" })).await;
    assert_ne!(house["id"], other["id"], "the same name somewhere else");
    let refused = |body: Value| app.call_as(&manager, "POST", "/api/v1/locations").json(body).send();
    refused(json!({ "name": "north", "kind": "site" })).await.problem(409, "name_taken");
    refused(json!({ "name": "South", "kind": "site", "code": "n" })).await.problem(409, "code_taken");
    let upside_down = refused(json!({ "name": "S", "kind": "site", "parent_id": house["id"] })).await;
    assert_eq!(super::codes(&upside_down.problem(422, "invalid_input")), ["wrong_kind"]);
    let nowhere =
        refused(json!({ "name": "S", "kind": "zone", "parent_id": kernel::LocationId::mint() })).await;
    assert_eq!(super::codes(&nowhere.problem(422, "invalid_input")), ["unknown_location"]);
    let path = format!("/api/v1/locations?parent_id={}", site["id"].as_str().unwrap());
    let page = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!(page["items"], json!([house]));
}
