//! One's own sessions: seen, ended, timed out, and refused everywhere once they are over.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kernel::Role;
use platform::auth::Keys;
use platform::auth::Verifier;
use platform::auth::revocations::Revocations;
use platform::http::client::client;
use serde_json::{Value, json};

use crate::{PASSWORD, SignedIn, Users, user};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn list(users: &Users, who: &SignedIn) -> Vec<Value> {
    let list = users.by(who, "GET", "/api/v1/me/sessions").send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

async fn remembered(users: &Users) -> SignedIn {
    let body = json!({"email": "admin@example.com", "password": PASSWORD, "remember": true});
    let call = users.call("POST", "/api/v1/auth/login").json(body).header("user-agent", FIREFOX);
    let tokens = call.header("x-forwarded-for", "192.0.2.7").send().await.expect(200).json();
    assert_eq!(users.event_types().await, ["session.started"]);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let id = users.first.user_id.to_string();
    SignedIn { id, access: text("access_token"), refresh: text("refresh_token") }
}

#[tokio::test]
async fn each_is_told_by_device_address_and_time() {
    let users = Users::start().await;
    let (there, here) = (remembered(&users).await, users.admin().await);
    users.clock.advance(SignedDuration::from_mins(5));
    users.refresh(&there.refresh).header("x-forwarded-for", "192.0.2.8").send().await.expect(200);
    let sessions = list(&users, &here).await;
    assert_eq!(sessions.len(), 2);
    let [mine, other] = [&sessions[0], &sessions[1]];
    assert_eq!((&mine["current"], &mine["device"]), (&json!(true), &json!("Unknown device")));
    assert_eq!((&other["current"], &other["device"]), (&json!(false), &json!("Firefox on Linux")));
    assert_eq!((&other["address"], &other["remembered"]), (&json!("192.0.2.8"), &json!(true)));
    assert_eq!(
        (&other["created_at"], &other["last_seen_at"]),
        (&json!("2026-03-02T08:00:00Z"), &json!("2026-03-02T08:05:00Z"))
    );
    assert_eq!(
        (&mine["expires_at"], &other["expires_at"]),
        (&json!("2026-03-03T08:00:00Z"), &json!("2026-04-01T08:00:00Z"))
    );
}

#[tokio::test]
async fn one_or_all_others_are_ended_and_nobody_elses() {
    let users = Users::start().await;
    let (here, there) = (users.admin().await, users.admin().await);
    let bob = users.someone(&here, "bob@example.com", Role::User).await;
    let other = list(&users, &here).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/me/sessions/{other}");
    users.by(&bob, "DELETE", &path).send().await.problem(404, "not_found");
    users.by(&here, "DELETE", &path).send().await.expect(204);
    let events = users.events().await;
    assert_eq!((events.len(), &events[0].data["reason"]), (1, &json!("revoked")));
    users.by(&here, "DELETE", &path).send().await.problem(404, "not_found");
    users.refresh(&there.refresh).send().await.problem(401, "invalid_refresh_token");
    users.admin().await;
    users.by(&here, "DELETE", "/api/v1/me/sessions").send().await.expect(204);
    assert_eq!(users.event_types().await, ["session.ended"]);
    assert_eq!(list(&users, &here).await.len(), 1);
    users.refresh(&here.refresh).send().await.expect(200);
    users.refresh(&bob.refresh).send().await.expect(200);
}

#[tokio::test]
async fn a_session_that_rests_or_grows_old_is_over() {
    let users = Users::start().await;
    let rests = users.admin().await;
    users.clock.advance(SignedDuration::from_hours(12));
    users.refresh(&rests.refresh).send().await.problem(401, "invalid_refresh_token");
    // Used every few hours, it ends after a day all the same.
    let mut token = users.admin().await.refresh;
    for _ in 0..2 {
        users.clock.advance(SignedDuration::from_hours(11));
        let next = users.refresh(&token).send().await.expect(200).json();
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    users.clock.advance(SignedDuration::from_hours(2));
    users.refresh(&token).send().await.problem(401, "invalid_refresh_token");
    let remembered = remembered(&users).await;
    users.clock.advance(SignedDuration::from_hours(24 * 13));
    users.refresh(&remembered.refresh).send().await.expect(200);
}

/// A verifier such as another service has, told by the real service.
pub async fn elsewhere(users: &Users) -> (Verifier, Arc<Revocations>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = users.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = client(Duration::from_secs(5)).unwrap();
    let keys = Keys::at(format!("{base}/.well-known/jwks.json"), client.clone());
    let revocations = Arc::new(Revocations::at(&base, users.context.internal.clone(), client));
    let verifier = Verifier::new(Arc::new(keys), users.context.clock.clone());
    (verifier.with_revocations(revocations.clone()), revocations)
}

#[tokio::test]
async fn an_ended_session_is_refused_by_every_service_before_its_token_expires() {
    let users = Users::start().await;
    let (verifier, revocations) = elsewhere(&users).await;
    let (here, there) = (users.admin().await, users.admin().await);
    verifier.verify(&there.access).await.unwrap();
    users.by(&here, "DELETE", "/api/v1/me/sessions").send().await.expect(204);
    assert_eq!(users.event_types().await, ["session.ended"]);
    revocations.step(users.now()).await.unwrap();
    assert_eq!(verifier.verify(&there.access).await.unwrap_err().code, "session_ended");
    verifier.verify(&here.access).await.unwrap();
    // A service that starts later learns of it as well.
    let (late, revocations) = elsewhere(&users).await;
    users.clock.advance(SignedDuration::from_mins(14));
    revocations.step(users.now()).await.unwrap();
    assert_eq!(late.verify(&there.access).await.unwrap_err().code, "session_ended");
}

#[tokio::test]
async fn another_role_counts_at_once_and_the_session_goes_on() {
    let users = Users::start().await;
    let (verifier, revocations) = elsewhere(&users).await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let patch = users.by(&admin, "PATCH", &user(&manager.id)).header("if-match", "*");
    patch.json(json!({"role": "user"})).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.changed"]);
    revocations.step(users.now()).await.unwrap();
    assert_eq!(verifier.verify(&manager.access).await.unwrap_err().code, "token_expired");
    // Refreshed within the same second.
    let next = users.refresh(&manager.refresh).send().await.expect(200).json();
    let claims = verifier.verify(next["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims.roles, [Role::User]);
}

#[tokio::test]
async fn a_closed_account_is_out_everywhere() {
    let users = Users::start().await;
    let (verifier, revocations) = elsewhere(&users).await;
    let admin = users.admin().await;
    let closed = users.someone(&admin, "c@example.com", Role::Manager).await;
    let removed = users.someone(&admin, "r@example.com", Role::Manager).await;
    let patch = users.by(&admin, "PATCH", &user(&closed.id)).header("if-match", "*");
    patch.json(json!({"active": false})).send().await.expect(200);
    users.by(&admin, "DELETE", &user(&removed.id)).header("if-match", "*").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed", "session.ended", "user.removed", "session.ended"]);
    revocations.step(users.now()).await.unwrap();
    for gone in [closed, removed] {
        assert_eq!(verifier.verify(&gone.access).await.unwrap_err().code, "session_ended");
    }
    let owner = &mut users.owner().await;
    let personal: i64 = sqlx::query_scalar(
        "select count(*) from users.session s join users.account a on a.id = s.user_id
         where a.removed_at is not null and (s.agent is not null or s.address is not null)",
    )
    .fetch_one(owner)
    .await
    .unwrap();
    assert_eq!(personal, 0);
}

#[tokio::test]
async fn a_disabled_organization_is_out_everywhere_and_no_other() {
    let users = Users::start().await;
    let (verifier, revocations) = elsewhere(&users).await;
    users.organization("other").await;
    let admin = users.admin().await;
    let stranger = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    users::set_active(&users.context, "default", false).await.unwrap();
    assert_eq!(users.event_types().await, ["organization.changed"]);
    revocations.step(users.now()).await.unwrap();
    assert_eq!(verifier.verify(&admin.access).await.unwrap_err().code, "token_expired");
    verifier.verify(&stranger.access).await.unwrap();
    users.refresh(&admin.refresh).send().await.problem(401, "invalid_refresh_token");
    // Enabled again, its sessions go on with tokens of a later second.
    users::set_active(&users.context, "default", true).await.unwrap();
    assert_eq!(users.event_types().await, ["organization.changed"]);
    users.clock.advance(SignedDuration::from_secs(6));
    revocations.step(users.now()).await.unwrap();
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    verifier.verify(next["access_token"].as_str().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_never_continues_what_was_there_before() {
    let users = Users::start().await;
    let (one, other) = (users.admin().await, users.admin().await);
    let sid = |token: &str| {
        let claims = jsonwebtoken::dangerous::insecure_decode::<platform::auth::Claims>(token);
        claims.unwrap().claims.sid
    };
    assert_ne!(sid(&one.access), sid(&other.access));
    assert_ne!(one.refresh, other.refresh);
    users
        .call("GET", "/internal/revocations?since=2026-03-02T08:00:00Z")
        .send()
        .await
        .problem(401, "internal_token_required");
}
