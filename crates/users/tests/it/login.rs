//! `POST /api/v1/auth/login`.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::json;

use crate::{PASSWORD, Users, user};

#[tokio::test]
async fn tokens_are_good_for_a_quarter_of_an_hour_and_never_cached() {
    let users = Users::start().await;
    let reply = users.login("default", "admin@example.com", PASSWORD).send().await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let access = tokens["access_token"].as_str().unwrap();
    let me = || users.call("GET", "/api/v1/me").bearer(access);
    me().send().await.expect(200);
    users.clock.advance(SignedDuration::from_secs(899));
    me().send().await.expect(200);
    users.clock.advance(SignedDuration::from_secs(1));
    me().send().await.problem(401, "token_expired");
    let events = users.events().await;
    assert_eq!((events.len(), events[0].kind.as_str()), (1, "reservas.session.started.v1"));
    assert_eq!(events[0].actorid, Some(users.first.user_id));
}

#[tokio::test]
async fn the_organization_may_be_left_out_where_it_is_the_default() {
    let users = Users::start().await;
    let body = json!({"email": "admin@example.com", "password": PASSWORD});
    users.call("POST", "/api/v1/auth/login").json(body).send().await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"]);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let users = Users::start().await;
    users.organization("other").await;
    let admin = users.admin().await;
    let gone = users.someone(&admin, "gone@example.com", Role::User).await;
    let idle = users.someone(&admin, "idle@example.com", Role::User).await;
    users.by(&admin, "DELETE", &user(&gone.id)).header("if-match", "*").send().await.expect(204);
    let patch = users.by(&admin, "PATCH", &user(&idle.id)).header("if-match", "*");
    patch.json(json!({"active": false})).send().await.expect(200);
    let expected = ["user.removed", "session.ended", "user.changed", "session.ended"];
    assert_eq!(users.event_types().await, expected);
    let cases = [
        ("default", "admin@example.com", "wrong horse battery staple"),
        ("default", "admin@example.com", &PASSWORD.to_uppercase()),
        ("default", "nobody@example.com", PASSWORD),
        ("default", "gone@example.com", PASSWORD),
        ("default", "idle@example.com", PASSWORD),
        ("other", "idle@example.com", PASSWORD),
        ("nowhere", "admin@example.com", PASSWORD),
    ];
    let mut answers = Vec::new();
    for (organization, email, password) in cases {
        let reply =
            users.login(organization, email, password).header("x-correlation-id", "same").send().await;
        answers.push(reply.problem(401, "invalid_credentials").to_string());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_password_opens_the_account_of_its_own_organization() {
    let users = Users::start().await;
    let other = users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    assert_eq!(there.id, other.user_id.to_string());
    assert_ne!(there.id, users.admin().await.id);
}

#[tokio::test]
async fn a_hash_made_with_less_work_is_made_anew() {
    let users = Users::start().await;
    let cost = async || {
        let hash: String = sqlx::query_scalar("select hash from users.password")
            .fetch_one(&mut users.owner().await)
            .await
            .unwrap();
        hash[4..6].to_owned()
    };
    users.admin().await;
    assert_eq!(cost().await, "04");
    let costly =
        users::App::new(users.context.clone(), users::Config { bcrypt_cost: 5, ..crate::config() }).unwrap();
    let (router, _) = users::api().split_for_parts();
    let router: axum::Router = users.context.complete(router.with_state(costly));
    for _ in 0..2 {
        let body = json!({"email": "admin@example.com", "password": PASSWORD});
        let request = http::Request::post("/api/v1/auth/login").header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body.to_string())).unwrap();
        let reply = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(cost().await, "05");
    }
    assert_eq!(users.event_types().await, ["session.started", "session.started"]);
    users.admin().await;
    assert_eq!(cost().await, "05", "and never with less");
}
