//! What counts as a failed attempt, for which proof, and who hears of it.

use axum::Router;
use jiff::SignedDuration;
use serde_json::json;
use users::hashing::Passwords;
use users::store::throttle::Attempt;

use crate::second_factor::{claims, code, enable, first_step, second_step};
use crate::throttle::told;
use crate::{PASSWORD, Users, config};

const WRONG: &str = "wrong horse battery staple";

#[tokio::test]
async fn the_password_does_not_start_the_count_of_codes_anew() {
    let users = Users::start().await;
    let admin = users.admin().await;
    enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    let body = json!({"email": "new@example.com", "current_password": PASSWORD});
    for _ in 0..6 {
        second_step(&users, &challenge, "000000").send().await.problem(401, "invalid_code");
        users.by(&admin, "POST", "/api/v1/me/email").json(&body).send().await.expect(204);
    }
    second_step(&users, &challenge, "000000").send().await.problem(429, "too_many_attempts");
    // One count for one second factor, wherever its codes are asked for.
    let step_up = json!({"password": PASSWORD, "code": "000000"});
    let step_up = users.by(&admin, "POST", "/api/v1/auth/step-up").json(step_up);
    step_up.send().await.problem(429, "too_many_attempts");
    assert_eq!(users.event_types().await, ["letter.requested"; 7]);
}

#[tokio::test]
async fn the_owner_hears_of_guesses_at_the_second_factor() {
    let users = Users::start().await;
    let admin = users.admin().await;
    enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    let mut failures = 0;
    while failures < 10 {
        let reply = second_step(&users, &challenge, "000000").send().await;
        match reply.status.as_u16() {
            401 => failures += 1,
            _ => users.clock.advance(SignedDuration::from_secs(reply.header("retry-after").parse().unwrap())),
        }
    }
    let event = told(&users).await;
    assert_eq!((event.kind.as_str(), &event.data["failures"]), ("reservas.user.locked.v1", &json!(10)));
    assert_eq!(event.data["user_id"], json!(users.first.user_id));
}

#[tokio::test]
async fn the_owner_hears_of_guesses_by_who_has_a_session() {
    for (path, field) in [("/api/v1/auth/step-up", "password"), ("/api/v1/me/email", "current_password")] {
        let users = Users::start().await;
        let admin = users.admin().await;
        let mut failures = 0;
        while failures < 10 {
            let mut body = json!({field: WRONG});
            if path.ends_with("email") {
                body["email"] = json!("new@example.com");
            }
            let reply = users.by(&admin, "POST", path).json(body).send().await;
            match reply.status.as_u16() {
                403 => failures += 1,
                _ => users
                    .clock
                    .advance(SignedDuration::from_secs(reply.header("retry-after").parse().unwrap())),
            }
        }
        assert_eq!(told(&users).await.kind, "reservas.user.locked.v1");
    }
}

#[tokio::test]
async fn a_password_that_nobody_looked_at_was_not_wrong() {
    let users = Users::start().await;
    let mut busy = users::App::new(users.context.clone(), config()).unwrap();
    busy.passwords = Passwords::new(&users::Config { hashing_at_once: 0, hashing_queue: 0, ..config() });
    let (router, _) = users::api().split_for_parts();
    let router: Router = users.context.complete(router.with_state(busy));
    for _ in 0..12 {
        let body = json!({"email": "admin@example.com", "password": PASSWORD});
        let request = http::Request::post("/api/v1/auth/login").header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body.to_string())).unwrap();
        let reply = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        assert_eq!(reply.status(), 503);
    }
    users.admin().await;
}

#[tokio::test]
async fn what_is_taken_back_blocks_nobody_and_frees_no_other() {
    let users = Users::start().await;
    let (db, attempt) =
        (&users.context.db, Attempt::by_name("default", "ada@example.com", Some("192.0.2.1")));
    for _ in 0..5 {
        attempt.begin(db, users.now()).await.unwrap();
    }
    let first = attempt.begin(db, users.now()).await.unwrap();
    assert!(attempt.begin(db, users.now()).await.is_err(), "the sixth blocks");
    attempt.take_back(db, first).await.unwrap();
    let sixth = attempt.begin(db, users.now()).await.unwrap();
    assert_eq!(sixth.failures, 6);
    users.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(attempt.begin(db, users.now()).await.unwrap().failures, 7);
    attempt.take_back(db, sixth).await.unwrap();
    let blocked = attempt.begin(db, users.now()).await;
    assert_eq!(blocked.unwrap_err().code, "too_many_attempts", "the seventh still does");
}

#[tokio::test]
async fn without_the_second_factor_no_session_counts_as_two() {
    let users = Users::start().await;
    let admin = users.admin().await;
    enable(&users, &admin).await;
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    assert_eq!(claims(&next).acr.as_deref(), Some("2"));
    let disable = users.by(&admin, "POST", "/api/v1/me/second-factor/disable");
    disable.json(json!({"current_password": PASSWORD})).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.second_factor_changed"]);
    let token = next["refresh_token"].as_str().unwrap();
    let last = users.refresh(token).send().await.expect(200).json();
    assert_eq!(claims(&last).acr.as_deref(), Some("1"));
    assert!(claims(&last).iat > claims(&next).iat, "what was minted before has to be exchanged");
}

#[tokio::test]
async fn an_app_that_is_being_set_up_proves_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    let disable = users.by(&admin, "POST", "/api/v1/me/second-factor/disable");
    disable.json(json!({"current_password": PASSWORD})).send().await.expect(204);
    let begun = users.by(&admin, "POST", "/api/v1/me/second-factor/totp").send().await.expect(200).json();
    let code = code(&users, begun["secret"].as_str().unwrap(), 0);
    second_step(&users, &challenge, &code).send().await.problem(401, "invalid_code");
    assert_eq!(users.event_types().await, ["user.second_factor_changed"]);
    users.admin().await;
}
