//! `POST /api/v1/users`.

use kernel::Role;
use serde_json::json;

use crate::{Users, new_user};

#[tokio::test]
async fn an_administrator_makes_accounts_of_every_role() {
    let users = Users::start().await;
    let admin = users.admin().await;
    for (email, role) in
        [("u@example.com", Role::User), ("m@example.com", Role::Manager), ("a@example.com", Role::Admin)]
    {
        let reply =
            users.by(&admin, "POST", "/api/v1/users").json(new_user(email, role)).send().await.expect(201);
        let body = reply.json();
        assert_eq!(
            (&body["email"], &body["role"], &body["version"]),
            (&json!(email), &json!(role), &json!(1))
        );
        let read = users.by(&admin, "GET", reply.header("location")).send().await.expect(200);
        assert_eq!((read.json(), read.header("etag")), (body, "\"1\""));
        let events = users.events().await;
        assert_eq!(events[0].actorid, Some(users.first.user_id));
        assert_eq!((events.len(), &events[0].data["account"]["role"]), (1, &json!(role)));
    }
}

#[tokio::test]
async fn language_and_zone_may_be_said() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let create = || users.by(&admin, "POST", "/api/v1/users");
    let mut body = new_user("ada@example.com", Role::User);
    body["locale"] = json!("de-AT");
    body["time_zone"] = json!("Europe/Vienna");
    let made = create().json(&body).send().await.expect(201).json();
    assert_eq!((&made["locale"], &made["time_zone"]), (&json!("de-AT"), &json!("Europe/Vienna")));
    assert_eq!(users.event_types().await, ["user.created"]);
    for (field, value) in
        [("locale", "de_AT"), ("time_zone", "Europe/Atlantis"), ("role", "root"), ("password", "short")]
    {
        let mut wrong = body.clone();
        wrong[field] = json!(value);
        let problem = create().json(wrong).send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_and_makes_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let create = |email: &str| {
        let call = users.by(&admin, "POST", "/api/v1/users").header("idempotency-key", "once");
        call.json(new_user(email, Role::User)).send()
    };
    let first = create("ada@example.com").await.expect(201);
    let again = create("ada@example.com").await.expect(201);
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    create("eve@example.com").await.problem(422, "idempotency_key_reused");
    assert_eq!(users.event_types().await, ["user.created"]);
    let call = users.by(&admin, "POST", "/api/v1/users").json(new_user("ada@example.com", Role::User));
    call.send().await.problem(409, "email_taken");
}
