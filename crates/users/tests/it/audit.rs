//! `GET /api/v1/audit/users`: who did what to accounts, from where, before and after.

use kernel::Role;
use serde_json::{Value, json};

use crate::{Users, user};

const PATH: &str = "/api/v1/audit/users";

#[tokio::test]
async fn every_act_is_found_with_who_from_where_before_and_after() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let patch = users.by(&admin, "PATCH", &user(&manager.id)).header("if-match", "*");
    let patch = patch.header("x-forwarded-for", "192.0.2.7").header("x-correlation-id", "the-demotion");
    patch.json(json!({"role": "user"})).send().await.expect(200);
    let key = json!({"name": "Script", "scopes": ["profile.own"], "days": 3});
    users.by(&admin, "POST", "/api/v1/api-keys").json(key).send().await.expect(201);
    users.events().await;
    users.set(&admin, json!({"name": "Another name"})).await;
    users.events().await;
    let read = async |query: &str| -> Value {
        users.by(&admin, "GET", &format!("{PATH}{query}")).send().await.expect(200).json()["items"].clone()
    };
    let demotion = &read("?correlation_id=the-demotion").await[0];
    assert_eq!(demotion["type"], "reservas.user.changed.v1");
    assert_eq!(demotion["actor_id"], admin.id);
    assert_eq!(
        (&demotion["data"]["before"]["role"], &demotion["data"]["after"]["role"]),
        (&json!("manager"), &json!("user"))
    );
    let sign_in = &read("?type=reservas.session.started.v1").await[0];
    assert_eq!(
        (&sign_in["actor_id"], &sign_in["data"]["device"]),
        (&json!(manager.id), &json!("Unknown device"))
    );
    assert!(sign_in.as_object().unwrap().contains_key("client"));
    let made = &read("?type=reservas.api_key.created.v1").await[0];
    assert_eq!((&made["actor_id"], &made["data"]["scopes"]), (&json!(admin.id), &json!(["profile.own"])));
    let settings = &read("?type=reservas.organization.changed.v1").await[0];
    assert_eq!(settings["data"]["after"]["name"], "Another name");
    assert_eq!(settings["data"]["before"]["name"], "Default");
    let csv = users.by(&admin, "GET", &format!("{PATH}?format=csv")).send().await.expect(200);
    let text = String::from_utf8(csv.body).unwrap();
    assert!(text.starts_with(
        "id,type,subject_id,number,occurred_at,actor_id,on_behalf_of,correlation_id,data,client"
    ));

    users.by(&manager, "GET", PATH).send().await.problem(403, "permission_required");
    users.organization("other").await;
    let stranger = users.sign_in_at("other", "admin@example.com", crate::PASSWORD).await;
    let theirs = users.by(&stranger, "GET", PATH).send().await.expect(200).json().to_string();
    assert!(!theirs.contains(&manager.id) && theirs.contains("reservas.organization.created.v1"));
}
