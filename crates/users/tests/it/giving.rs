//! Who may give roles above `user`, and change those who have one.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};

use crate::api_keys::{key, token};
use crate::{Users, new_user, user};

/// What would make an administrator, or change somebody who is more than a user; and what would not.
fn calls(manager: &str, person: &str) -> Vec<(&'static str, String, Value)> {
    vec![
        ("POST", "/api/v1/users".into(), new_user("x@example.com", Role::Admin)),
        ("POST", "/api/v1/users".into(), new_user("x@example.com", Role::Manager)),
        ("PATCH", user(person), json!({"role": "admin"})),
        ("PATCH", user(manager), json!({"active": false})),
        ("PATCH", user(manager), json!({"role": "user"})),
        (
            "POST",
            "/api/v1/invitations".into(),
            json!({"email": "y@example.com", "name": "Y", "role": "manager"}),
        ),
    ]
}

const FILE: &str = "email,name,role\nm@example.com,Other,\nz@example.com,Z,admin\n";

/// The codes of the lines of an import.
fn codes(report: &Value) -> Vec<&Value> {
    let lines = report["lines"].as_array().unwrap().iter();
    lines.map(|line| &line["errors"][0]["code"]).collect()
}

#[tokio::test]
async fn a_key_makes_no_administrator() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let person = users.someone(&admin, "u@example.com", Role::User).await;
    let whole: Vec<_> = Role::Admin.permissions();
    for (scopes, code) in [(json!(["users.manage"]), "beyond_own_rights"), (json!(whole), "step_up_required")]
    {
        let key = key(&users, &admin, json!({"name": "Sync", "scopes": scopes})).await;
        let token = token(&users, &key).await;
        let by = |method, path: &str| users.call(method, path).bearer(&token).header("if-match", "*");
        for (method, path, body) in calls(&manager.id, &person.id) {
            by(method, &path).json(body).send().await.problem(403, code);
        }
        for query in ["", "?dry_run=true"] {
            let import = by("POST", &format!("/api/v1/users/import{query}")).body("text/csv", FILE);
            let report = import.send().await.expect(200).json();
            assert_eq!(codes(&report), [&json!(code), &json!(code)]);
        }
        // What it is for.
        let email = format!("{}@example.com", code.replace('_', "-"));
        by("POST", "/api/v1/users").json(new_user(&email, Role::User)).send().await.expect(201);
        by("PATCH", &user(&person.id)).json(json!({"name": code})).send().await.expect(200);
        assert_eq!(users.event_types().await, ["user.created", "user.changed"]);
    }
}

#[tokio::test]
async fn an_administrator_proves_first_who_they_are() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let person = users.someone(&admin, "u@example.com", Role::User).await;
    users.clock.advance(SignedDuration::from_mins(10) + SignedDuration::from_secs(1));
    for (method, path, body) in calls(&manager.id, &person.id) {
        let call = users.by(&admin, method, &path).header("if-match", "*").json(body);
        call.send().await.problem(403, "step_up_required");
    }
    let import = users.by(&admin, "POST", "/api/v1/users/import").body("text/csv", FILE);
    assert_eq!(codes(&import.send().await.expect(200).json()), ["step_up_required", "step_up_required"]);
    let call = users.by(&admin, "POST", "/api/v1/users").json(new_user("v@example.com", Role::User));
    call.send().await.expect(201);
    assert_eq!(users.event_types().await, ["user.created"]);
}
