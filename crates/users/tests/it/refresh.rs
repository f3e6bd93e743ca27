//! `POST /api/v1/auth/refresh` and `/api/v1/auth/logout`.

use jiff::SignedDuration;
use serde_json::json;

use crate::{Users, user};

#[tokio::test]
async fn a_token_works_once_and_its_successor_goes_on() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let reply = users.refresh(&admin.refresh).send().await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let next = reply.json();
    assert_ne!(next["refresh_token"], admin.refresh.as_str());
    users.call("GET", "/api/v1/me").bearer(next["access_token"].as_str().unwrap()).send().await.expect(200);
    users.refresh(next["refresh_token"].as_str().unwrap()).send().await.expect(200);
}

#[tokio::test]
async fn reuse_ends_the_session_for_both() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    users.refresh(&admin.refresh).send().await.problem(401, "refresh_token_reused");
    let events = users.events().await;
    assert_eq!((events.len(), &events[0].data["reason"]), (1, &json!("refresh_reused")));
    users.refresh(next["refresh_token"].as_str().unwrap()).send().await.problem(401, "invalid_refresh_token");
    users.refresh(&admin.refresh).send().await.problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn of_many_at_once_one_is_served() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let calls: Vec<_> = (0..6).map(|_| tokio::spawn(users.refresh(&admin.refresh).send())).collect();
    let mut served = 0;
    for call in calls {
        served += u32::from(call.await.unwrap().status.is_success());
    }
    assert_eq!(served, 1);
    assert_eq!(users.event_types().await, ["session.ended"]);
}

#[tokio::test]
async fn a_session_ends_however_often_it_is_refreshed() {
    let users = Users::start().await;
    let body = json!({"email": "admin@example.com", "password": crate::PASSWORD, "remember": true});
    let tokens = users.call("POST", "/api/v1/auth/login").json(body).send().await.expect(200).json();
    assert_eq!(users.event_types().await, ["session.started"]);
    let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..29 {
        users.clock.advance(SignedDuration::from_hours(24));
        let next = users.refresh(&token).send().await.expect(200).json();
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    users.clock.advance(SignedDuration::from_hours(24));
    users.refresh(&token).send().await.problem(401, "invalid_refresh_token");
    // The next sign-in clears what has expired.
    users.admin().await;
    let left: i64 = sqlx::query_scalar("select count(*) from users.refresh_token")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn what_was_never_given_opens_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let other = users.organization("other").await;
    let forged =
        users::opaque_token::RefreshToken::mint(other.organization_id, kernel::SessionId::mint()).text();
    // The right session with another secret, and the right secret in another organization.
    let guessed = format!("{}{}", &admin.refresh[..43], &forged[43..]);
    let moved = format!("{}{}", &forged[..21], &admin.refresh[21..]);
    for token in [forged.as_str(), guessed.as_str(), moved.as_str(), "x", &"A".repeat(86)] {
        users.refresh(token).send().await.problem(401, "invalid_refresh_token");
    }
    users.refresh(&"A".repeat(87)).send().await.problem(422, "invalid_input");
    users.refresh(&admin.refresh).send().await.expect(200);
}

#[tokio::test]
async fn a_role_taken_away_is_gone_at_the_next_refresh() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", kernel::Role::Manager).await;
    let patch = users.by(&admin, "PATCH", &user(&manager.id)).header("if-match", "\"1\"");
    patch.json(json!({"role": "user"})).send().await.expect(200);
    let next = users.refresh(&manager.refresh).send().await.expect(200).json();
    let list = users.call("GET", "/api/v1/users").bearer(next["access_token"].as_str().unwrap());
    list.send().await.problem(403, "permission_required");
    assert_eq!(users.event_types().await, ["user.changed"]);
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let elsewhere = users.admin().await;
    for _ in 0..2 {
        let call = users.call("POST", "/api/v1/auth/logout").json(json!({"refresh_token": admin.refresh}));
        call.send().await.expect(204);
    }
    let events = users.events().await;
    assert_eq!((events.len(), &events[0].data["reason"]), (1, &json!("signed_out")));
    users.refresh(&admin.refresh).send().await.problem(401, "invalid_refresh_token");
    users.refresh(&elsewhere.refresh).send().await.expect(200);
}
