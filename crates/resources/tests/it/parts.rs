//! What is made of what.

use serde_json::{Value, json};

use super::{codes, create, manager, start};

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_circle_is_refused_and_shown() {
    let app = start().await;
    let manager = manager(&app).await;
    let leaf = create(&app, &manager, "resources", json!({ "name": "Leaf", "type": "room" })).await;
    let half = json!({ "name": "Half", "type": "room", "parts": [leaf["id"]] });
    let half = create(&app, &manager, "resources", half).await;
    let hall = json!({ "name": "Hall", "type": "room", "parts": [half["id"]] });
    let hall = create(&app, &manager, "resources", hall).await;
    let patch = |resource: &Value, parts: Value| {
        let call = app.call_as(&manager, "PATCH", &format!("/api/v1/resources/{}", id(resource)));
        call.header("if-match", "*").json(json!({ "parts": parts })).send()
    };
    let problem = patch(&leaf, json!([hall["id"]])).await.problem(409, "parts_cycle");
    let mut cycle: Vec<_> =
        problem["cycle"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(cycle.first(), cycle.last(), "it reads as the way around");
    cycle.pop();
    cycle.sort_unstable();
    assert_eq!(cycle, ["Half", "Hall", "Leaf"]);
    patch(&leaf, json!([leaf["id"]])).await.problem(409, "parts_cycle");
    // The same part twice in a tree is no circle.
    let both = patch(&hall, json!([half["id"], leaf["id"]])).await.expect(200).json();
    assert_eq!(both["parts"].as_array().unwrap().len(), 2);
    let types = ["resource.created", "resource.created", "resource.created", "resource.changed"];
    assert_eq!(app.event_types().await, types);
}

#[tokio::test]
async fn a_whole_has_one_unit_and_live_parts() {
    let app = start().await;
    let manager = manager(&app).await;
    let part = create(&app, &manager, "resources", json!({ "name": "Part", "type": "room" })).await;
    let post = |body: Value| app.call_as(&manager, "POST", "/api/v1/resources").json(body).send();
    let many = post(json!({ "name": "Hall", "type": "room", "units": 2, "parts": [part["id"]] })).await;
    assert_eq!(codes(&many.problem(422, "invalid_input")), ["whole_has_units"]);
    let hall =
        create(&app, &manager, "resources", json!({ "name": "Hall", "type": "room", "parts": [part["id"]] }))
            .await;
    let delete = |resource: &Value| {
        app.call_as(&manager, "DELETE", &format!("/api/v1/resources/{}", id(resource)))
            .header("if-match", "*")
            .send()
    };
    let problem = delete(&part).await.problem(409, "still_part");
    assert_eq!(problem["wholes"], json!(["Hall"]));
    delete(&hall).await.expect(204);
    delete(&part).await.expect(204);
    let dead = post(json!({ "name": "Hall 2", "type": "room", "parts": [part["id"]] })).await;
    assert_eq!(codes(&dead.problem(422, "invalid_input")), ["part_retired"]);
    let types = ["resource.created", "resource.created", "resource.retired", "resource.retired"];
    assert_eq!(app.event_types().await, types);
}

#[tokio::test]
async fn two_changes_at_once_cannot_close_a_circle_together() {
    let app = start().await;
    let manager = manager(&app).await;
    let one = create(&app, &manager, "resources", json!({ "name": "One", "type": "room" })).await;
    let two = create(&app, &manager, "resources", json!({ "name": "Two", "type": "room" })).await;
    let patch = |whole: &Value, part: &Value| {
        let call = app.call_as(&manager, "PATCH", &format!("/api/v1/resources/{}", id(whole)));
        call.header("if-match", "*").json(json!({ "parts": [part["id"]] })).send()
    };
    let (first, second) = tokio::join!(patch(&one, &two), patch(&two, &one));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(app.event_types().await.len(), 3);
}
