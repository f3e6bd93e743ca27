//! Second factors beside the provider, and fresh proofs.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{CLIENT_ADDRESS, NEW, World};
use crate::identity_provider::{Browser, parameter};
use crate::second_factor::{claims, code, enable, second_step};
use crate::single_sign_on::client::{VERIFIER, start};
use crate::{SignedIn, Users};
use users::single_sign_on::browser::challenge;

const STEP_UP: &str = "/api/v1/me/single-sign-on/step-up";

/// Where a step-up begins.
async fn step_up(users: &Users, who: &SignedIn, body: Value) -> String {
    let begun = users.by(who, "POST", STEP_UP).json(body).send().await.expect(200).json();
    begun["start_url"].as_str().unwrap().to_owned()
}

fn keys(users: &Users, token: &str) -> testkit::Call {
    let body = json!({"name": "x", "scopes": ["profile.own"]});
    users.call("POST", "/api/v1/api-keys").bearer(token).json(body)
}

#[tokio::test]
async fn the_policy_is_met_by_two_factors_at_the_provider_or_one_here() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let policy = users.by(&world.admin, "PUT", "/api/v1/sign-in-policy");
    policy.json(json!({"second_factor_roles": ["user"]})).send().await.expect(200);
    users.event_types().await;
    let limited = world.sign_in("login=7&amr=pwd").await.expect(200).json();
    assert_eq!((&limited["scope"], claims(&limited).acr.as_deref()), (&json!("profile.own"), Some("1")));
    let whole = world.sign_in("login=7&amr=pwd%20mfa").await.expect(200).json();
    assert_eq!((whole.get("scope"), claims(&whole).acr.as_deref()), (None, Some("2")));
    users.event_types().await;
    let (_, ada) = world.signed_in("login=7&amr=mfa", &["session.started"]).await;
    let (secret, _) = enable(users, &ada).await;
    // Both ways of coming back ask for it, and two factors at the provider are enough.
    world.sign_in("login=7&amr=mfa").await.expect(200);
    let problem = world.sign_in("login=7").await.problem(403, "second_factor_required");
    let next = code(users, &secret, 1);
    let tokens =
        second_step(users, problem["challenge"].as_str().unwrap(), &next).send().await.expect(200).json();
    assert_eq!(claims(&tokens).acr.as_deref(), Some("2"));
    users.event_types().await;
    let reply = Browser::default().go(users, &start(CLIENT_ADDRESS, ""), "login=7").await.expect(302);
    let once = parameter(reply.header("location"), "code").unwrap();
    world.redeem(&once, VERIFIER).await.problem(403, "second_factor_required");
    world.redeem(&once, VERIFIER).await.problem(401, "invalid_sign_on");
}

#[tokio::test]
async fn who_was_signed_in_at_the_provider_for_long_has_proved_nothing_just_now() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let past = users.now().as_second() - 3600;
    let old = world.sign_in(&format!("login=7&ts={past}")).await.expect(200).json();
    assert_eq!(users.event_types().await, NEW);
    assert_eq!(claims(&old).auth_time, Some(past));
    keys(users, old["access_token"].as_str().unwrap()).send().await.problem(403, "step_up_required");
    // Nor by a refresh.
    let next = users.refresh(old["refresh_token"].as_str().unwrap()).send().await.expect(200).json();
    keys(users, next["access_token"].as_str().unwrap()).send().await.problem(403, "step_up_required");
    let (_, ada) = world.signed_in("login=7", &["session.started"]).await;
    keys(users, &ada.access).send().await.expect(201);
    users.event_types().await;
}

#[tokio::test]
async fn a_fresh_proof_is_given_at_the_provider() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let mut browser = Browser::default();
    let tokens = browser.go(users, super::START, "login=7").await.expect(200).json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let ada = SignedIn { id: String::new(), access: text("access_token"), refresh: text("refresh_token") };
    assert_eq!(users.event_types().await, NEW);
    users.clock.advance(SignedDuration::from_mins(10) + SignedDuration::from_secs(1));
    keys(users, &ada.access).send().await.problem(403, "step_up_required");
    super::now(users);
    let begun = step_up(users, &ada, json!({})).await;
    let sent = browser.open(users, &begun).await.expect(302);
    let address = sent.header("location").to_owned();
    assert_eq!(parameter(&address, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&address, "max_age").as_deref(), Some("0"));
    // The request works once.
    browser.open(users, &begun).await.problem(401, "invalid_sign_on");
    let back = browser.sign_in(&address, "login=7").await;
    let proved = browser.open(users, &back).await.expect(200).json();
    assert!(proved.get("refresh_token").is_none());
    keys(users, proved["access_token"].as_str().unwrap()).send().await.expect(201);
    assert_eq!(users.event_types().await, ["api_key.created"]);
    // For a client likewise.
    let wish = json!({"return_to": CLIENT_ADDRESS, "code_challenge": challenge(VERIFIER), "state": "s"});
    let reply = browser.go(users, &step_up(users, &ada, wish).await, "login=7").await.expect(302);
    let code = parameter(reply.header("location"), "code").unwrap();
    assert!(world.redeem(&code, VERIFIER).await.expect(200).json().get("refresh_token").is_none());
    // The session remembers it.
    let next = users.refresh(&ada.refresh).send().await.expect(200).json();
    keys(users, next["access_token"].as_str().unwrap()).send().await.expect(201);
    users.event_types().await;
}

#[tokio::test]
async fn no_old_proof_nobody_elses_and_none_for_a_session_that_is_over() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let (_, ada) = world.signed_in("login=7", &NEW).await;
    let go = async |interaction: &str| {
        Browser::default().go(users, &step_up(users, &ada, json!({})).await, interaction).await
    };
    go("login=8").await.problem(403, "other_identity");
    let past = users.now().as_second() - 3600;
    go(&format!("login=7&ts={past}")).await.problem(403, "identity_not_proven");
    let begun = step_up(users, &ada, json!({})).await;
    let logout = users.call("POST", "/api/v1/auth/logout").json(json!({"refresh_token": ada.refresh}));
    logout.send().await.expect(204);
    Browser::default().go(users, &begun, "login=7").await.problem(401, "session_ended");
    assert_eq!(users.event_types().await, ["session.ended"]);
    // Who is not linked proves it otherwise.
    let call = users.by(&world.admin, "POST", STEP_UP).json(json!({}));
    call.send().await.problem(409, "identity_not_linked");
}

#[tokio::test]
async fn a_second_factor_of_ours_is_shown_with_the_fresh_proof() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let (_, ada) = world.signed_in("login=7", &NEW).await;
    let (secret, _) = enable(users, &ada).await;
    let ask = |body: Value| users.by(&ada, "POST", STEP_UP).json(body).send();
    ask(json!({})).await.problem(401, "invalid_code");
    ask(json!({"code": "000000"})).await.problem(401, "invalid_code");
    let begun = step_up(users, &ada, json!({"code": code(users, &secret, 1)})).await;
    let proved = Browser::default().go(users, &begun, "login=7").await.expect(200).json();
    assert_eq!(claims(&proved).acr.as_deref(), Some("2"));
}
