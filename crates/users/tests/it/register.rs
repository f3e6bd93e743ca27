//! `POST /api/v1/auth/register`.

use serde_json::{Value, json};
use testkit::Call;

use crate::{PASSWORD, Users};

fn register(users: &Users, body: Value) -> Call {
    users.call("POST", "/api/v1/auth/register").json(body)
}

fn ada(password: &str) -> Value {
    json!({"email": " Ada@Example.com", "password": password, "name": "Ada Lovelace"})
}

#[tokio::test]
async fn whoever_registers_can_sign_in() {
    let users = Users::start().await;
    let reply = register(&users, ada(PASSWORD)).send().await.expect(201);
    let body = reply.json();
    assert_eq!(
        (&body["email"], &body["role"], &body["active"]),
        (&json!("ada@example.com"), &json!("user"), &json!(true))
    );
    assert_eq!(reply.header("location"), format!("/api/v1/users/{}", body["id"].as_str().unwrap()));
    assert_eq!(reply.header("etag"), "\"1\"");
    let events = users.events().await;
    assert_eq!(events[0].kind, "reservas.user.created.v1");
    assert!(!events[0].data.to_string().contains("ada"), "personal data stays out of events");
    assert_eq!(users.sign_in("ADA@example.com").await.id, body["id"]);
}

#[tokio::test]
async fn an_address_is_one_account_of_an_organization() {
    let users = Users::start().await;
    users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    users.set(&there, json!({"self_registration": true})).await;
    register(&users, ada(PASSWORD)).send().await.expect(201);
    register(&users, ada("another password of words")).send().await.expect(201);
    let mut elsewhere = ada(PASSWORD);
    elsewhere["organization"] = json!("other");
    register(&users, elsewhere).send().await.expect(201);
    let made = ["user.created", "letter.requested"];
    assert_eq!(users.event_types().await, [made[0], made[1], made[1], made[0], made[1]]);
    users.sign_in("ada@example.com").await;
}

#[tokio::test]
async fn of_many_with_one_address_one_wins() {
    let users = Users::start().await;
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(register(&users, ada(PASSWORD)).send())).collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201; 8]);
    // One has the account; its owner is told once that others wanted it, too.
    assert_eq!(users.event_types().await, ["user.created", "letter.requested", "letter.requested"]);
}

#[tokio::test]
async fn where_it_is_closed_and_where_there_is_nothing_look_the_same() {
    let users = Users::start().await;
    let organization = users.first.organization_id;
    sqlx::query("update users.organization set self_registration = false where organization_id = $1")
        .bind(organization.0)
        .execute(&mut users.owner().await)
        .await
        .unwrap();
    let closed = register(&users, ada(PASSWORD)).send().await.problem(403, "registration_closed");
    let mut nowhere = ada(PASSWORD);
    nowhere["organization"] = json!("nowhere");
    let nowhere = register(&users, nowhere).send().await.problem(403, "registration_closed");
    assert_eq!(closed["detail"], nowhere["detail"]);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let users = Users::start().await;
    let cases = [
        (ada("too short"), "/password", "password_too_short"),
        (ada(" Ada@example.com "), "/password", "password_guessable"),
        (ada(&"x".repeat(257)), "/password", "invalid_value"),
        (json!({"email": "ada", "password": PASSWORD, "name": "Ada"}), "/email", "invalid_value"),
        (
            json!({"email": "ada@example.com", "password": PASSWORD, "name": "A\r\nBcc: b"}),
            "/name",
            "invalid_value",
        ),
        (json!({"email": "ada@example.com", "password": PASSWORD, "name": " "}), "/name", "invalid_value"),
        // Nobody makes themselves an administrator.
        (
            json!({"email": "a@example.com", "password": PASSWORD, "name": "A", "role": "admin"}),
            "/role",
            "unknown_field",
        ),
    ];
    for (body, pointer, code) in cases {
        let problem = register(&users, body).send().await.problem(422, "invalid_input");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!(pointer), &json!(code))
        );
    }
}
