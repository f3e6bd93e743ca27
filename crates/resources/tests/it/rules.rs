//! Rules: laid down, versioned, told; refused with every flaw named.

use kernel::Role;
use serde_json::{Value, json};

use super::{create, manager, start};

#[tokio::test]
async fn rules_are_laid_down_read_and_replaced_by_who_saw_them() {
    let app = start().await;
    let manager = manager(&app).await;
    let kind = create(&app, &manager, "resource-types", json!({ "name": "hall" })).await;
    let path = format!("/api/v1/rules/{}", kind["id"].as_str().unwrap());
    app.call_as(&manager, "GET", &path).send().await.problem(404, "not_found");
    let body = json!({ "scope": "type", "policy": { "max_minutes": 240 } });
    let put = app.call_as(&manager, "PUT", &path).json(&body).send().await.expect(200);
    assert_eq!(
        (put.json()["version"].clone(), put.json()["policy"]["max_minutes"].clone()),
        (json!(1), json!(240))
    );
    app.call_as(&manager, "PUT", &path).json(&body).send().await.problem(428, "if_match_required");
    let user = app.person(Role::User);
    app.call_as(&user, "PUT", &path).json(&body).send().await.problem(403, "permission_required");
    let read = app.call_as(&user, "GET", &path).send().await.expect(200);
    let tag = read.header("etag").to_owned();
    let again = app.call_as(&manager, "PUT", &path).header("if-match", &tag);
    again.json(json!({ "scope": "type" })).send().await.expect(200);
    let stale = app.call_as(&manager, "PUT", &path).header("if-match", &tag);
    stale.json(&body).send().await.problem(412, "stale_version");
    let events = app.events().await;
    assert_eq!(events.last().unwrap().data["before"]["policy"]["max_minutes"], 240);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_whole() {
    let app = start().await;
    let manager = manager(&app).await;
    let path = format!("/api/v1/rules/{}", app.organization);
    let put = async |body| app.call_as(&manager, "PUT", &path).json(body).send().await;
    let problem = put(json!({ "scope": "organization", "policy": { "grid_minutes": 0, "min_minutes": 9, "max_minutes": 8 } }))
        .await
        .problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let unknown = put(json!({ "scope": "organization", "policy": { "max_minuets": 9 } })).await;
    assert!(
        unknown.status.is_client_error() && unknown.json().to_string().contains("max_minuets"),
        "{unknown:?}"
    );
    let group = "/api/v1/rules/0198c6a0-0000-7000-8000-000000000001";
    let body = json!({ "scope": "group", "policy": { "access": { "see": {} } } });
    let seen = app.call_as(&manager, "PUT", group).json(body).send().await;
    assert_eq!(seen.problem(422, "invalid_input")["errors"][0]["code"], "not_for_groups");
    put(json!({ "scope": "resource" })).await.problem(404, "not_found");
    app.call_as(&manager, "GET", &path).send().await.problem(404, "not_found");
    app.events().await;
}

#[tokio::test]
async fn every_version_is_kept_and_can_be_put_again() {
    let app = start().await;
    let manager = manager(&app).await;
    let room = create(&app, &manager, "resources", json!({ "name": "Ada", "type": "room" })).await;
    let path = format!("/api/v1/rules/{}", room["id"].as_str().unwrap());
    let versions = format!("{path}/versions");
    app.call_as(&manager, "GET", &versions).send().await.problem(404, "not_found");
    let put = async |body: &Value| {
        app.call_as(&manager, "PUT", &path).header("if-match", "*").json(body).send().await.expect(200).json()
    };
    for most in [60, 120, 240] {
        put(&json!({ "scope": "resource", "policy": { "max_minutes": most } })).await;
    }
    let all = app.call_as(&manager, "GET", &versions).send().await.expect(200).json();
    let told = |at: usize| {
        (all["items"][at]["version"].as_i64(), all["items"][at]["policy"]["max_minutes"].as_i64())
    };
    assert_eq!(
        [told(0), told(1), told(2)],
        [(Some(3), Some(240)), (Some(2), Some(120)), (Some(1), Some(60))]
    );
    assert_eq!(all["items"][0]["created_by"], json!(manager.user));
    assert!(all["items"][0]["created_at"].is_string());
    let page = app.call_as(&manager, "GET", &format!("{versions}?limit=2")).send().await.expect(200).json();
    let rest = format!("{versions}?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = app.call_as(&manager, "GET", &rest).send().await.expect(200).json();
    assert_eq!((&rest["items"][0]["version"], rest["items"].as_array().unwrap().len()), (&json!(1), 1));
    // An old one, put again, is the newest.
    let old = json!({ "scope": "resource", "policy": rest["items"][0]["policy"] });
    let again = put(&old).await;
    assert_eq!((&again["version"], &again["policy"]["max_minutes"]), (&json!(4), &json!(60)));
    let user = app.person(Role::User);
    app.call_as(&user, "GET", &versions).send().await.problem(403, "permission_required");
    app.events().await;
}
