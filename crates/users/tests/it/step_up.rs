//! Dangerous actions are for who has proved a moment ago who they are.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::json;
use testkit::Call;

use crate::{PASSWORD, SignedIn, Users, user};

fn step_up(users: &Users, who: &SignedIn, password: &str) -> Call {
    users.by(who, "POST", "/api/v1/auth/step-up").json(json!({"password": password}))
}

#[tokio::test]
async fn after_ten_minutes_a_fresh_proof_is_needed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    users.clock.advance(SignedDuration::from_mins(10) + SignedDuration::from_secs(1));
    let calls = [
        ("DELETE", user(&bob.id), json!(null)),
        ("POST", "/api/v1/api-keys".into(), json!({"name": "x", "scopes": ["profile.own"]})),
        ("POST", "/api/v1/service-accounts".into(), json!({"name": "x", "role": "user"})),
        ("PUT", "/api/v1/sign-in-policy".into(), json!({"second_factor_roles": []})),
        ("POST", "/api/v1/me/second-factor/totp".into(), json!(null)),
    ];
    // A refresh is no proof.
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    let text = |name: &str| next[name].as_str().unwrap().to_owned();
    let admin = SignedIn { access: text("access_token"), refresh: text("refresh_token"), ..admin };
    for (method, path, body) in &calls {
        let call = users.by(&admin, method, path).header("if-match", "*").json(body);
        call.send().await.problem(403, "step_up_required");
    }
    let tokens = step_up(&users, &admin, PASSWORD).send().await.expect(200).json();
    assert!(tokens.get("refresh_token").is_none());
    let fresh = tokens["access_token"].as_str().unwrap();
    let delete = users.call("DELETE", &user(&bob.id)).bearer(fresh).header("if-match", "*");
    delete.send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
    // The session remembers the proof.
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    let policy = users.call("PUT", "/api/v1/sign-in-policy").bearer(next["access_token"].as_str().unwrap());
    policy.json(json!({"second_factor_roles": []})).send().await.expect(200);
}

#[tokio::test]
async fn a_wrong_password_proves_nothing_and_is_counted() {
    let users = Users::start().await;
    let admin = users.admin().await;
    for _ in 0..6 {
        step_up(&users, &admin, "wrong horse battery staple").send().await.problem(403, "wrong_password");
    }
    step_up(&users, &admin, PASSWORD).send().await.problem(429, "too_many_attempts");
    users.clock.advance(SignedDuration::from_secs(2));
    step_up(&users, &admin, PASSWORD).send().await.expect(200);
    users
        .call("POST", "/api/v1/auth/step-up")
        .json(json!({"password": PASSWORD}))
        .send()
        .await
        .problem(401, "token_required");
}

#[tokio::test]
async fn a_session_that_is_over_cannot_be_proved_again() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users
        .call("POST", "/api/v1/auth/logout")
        .json(json!({"refresh_token": admin.refresh}))
        .send()
        .await
        .expect(204);
    assert_eq!(users.event_types().await, ["session.ended"]);
    step_up(&users, &admin, PASSWORD).send().await.problem(401, "session_ended");
}
