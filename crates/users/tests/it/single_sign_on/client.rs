//! Clients that have the browser sent back to them, and exchange a code.

use jiff::SignedDuration;
use serde_json::json;
use testkit::Reply;
use users::single_sign_on::browser::challenge;

use super::{CLIENT_ADDRESS, NEW, START, World};
use crate::identity_provider::{Browser, parameter};

/// A verifier of a client.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A start for a client.
pub fn start(return_to: &str, more: &str) -> String {
    format!("{START}?return_to={return_to}&code_challenge={}{more}", challenge(VERIFIER))
}

impl World {
    /// Exchanges a code.
    pub async fn redeem(&self, code: &str, verifier: &str) -> Reply {
        let body = json!({"code": code, "code_verifier": verifier});
        self.users.call("POST", "/api/v1/auth/sso/token").json(body).send().await
    }
}

#[tokio::test]
async fn a_client_gets_a_code_that_only_it_can_exchange_once() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let reply =
        Browser::default().go(users, &start(CLIENT_ADDRESS, "&state=a%26b"), "login=7").await.expect(302);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    let address = reply.header("location");
    assert!(address.starts_with(&format!("{CLIENT_ADDRESS}?code=")), "{address}");
    assert_eq!(parameter(address, "state").as_deref(), Some("a&b"));
    let code = parameter(address, "code").unwrap();
    // The account is there; nobody is signed in before the client says so.
    assert_eq!(users.event_types().await, ["user.created", "user.identity_linked"]);
    let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    world.redeem(&code, other).await.problem(401, "invalid_sign_on");
    world.redeem(&code, "short").await.problem(422, "invalid_input");
    world.redeem(&"A".repeat(86), VERIFIER).await.problem(401, "invalid_sign_on");
    world.redeem("x", VERIFIER).await.problem(401, "invalid_sign_on");
    let tokens = world.redeem(&code, VERIFIER).await.expect(200);
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert!(tokens.json()["refresh_token"].is_string());
    assert_eq!(users.event_types().await, ["session.started"]);
    world.redeem(&code, VERIFIER).await.problem(401, "invalid_sign_on");
}

#[tokio::test]
async fn of_one_code_at_once_one_is_exchanged_and_after_a_minute_none() {
    let world = World::start(json!({})).await;
    let code = async || {
        let reply =
            Browser::default().go(&world.users, &start(CLIENT_ADDRESS, ""), "login=7").await.expect(302);
        parameter(reply.header("location"), "code").unwrap()
    };
    let once = code().await;
    let (one, other) = tokio::join!(world.redeem(&once, VERIFIER), world.redeem(&once, VERIFIER));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(world.users.event_types().await, NEW);
    let late = code().await;
    world.users.clock.advance(SignedDuration::from_mins(1));
    world.redeem(&late, VERIFIER).await.problem(401, "invalid_sign_on");
}

#[tokio::test]
async fn browsers_are_sent_to_addresses_of_the_organization_alone() {
    let world = World::start(json!({"return_to": [CLIENT_ADDRESS, "http://127.0.0.1/in"]})).await;
    for wrong in
        ["https://evil.example/", "https://booking.example.edu/signed-in/", "http://127.0.0.2/in", "/in"]
    {
        let call = world.users.call("GET", &start(wrong, ""));
        let problem = call.send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/return_to", "{wrong}");
    }
    let native = start("http://127.0.0.1:4711/in", "");
    world.users.call("GET", &native).send().await.expect(302);
    // Without a challenge nobody could tell the client from a thief.
    let bare = format!("{START}?return_to={CLIENT_ADDRESS}");
    world.users.call("GET", &bare).send().await.problem(422, "invalid_input");
    let bare = format!("{START}?code_challenge={}", challenge(VERIFIER));
    world.users.call("GET", &bare).send().await.problem(422, "invalid_input");
    world.users.call("GET", &format!("{START}?unheard=of")).send().await.problem(400, "invalid_query");
}

#[tokio::test]
async fn a_client_hears_why_nothing_came_of_it() {
    let mut world = World::start(json!({"create_accounts": false})).await;
    let start = start(CLIENT_ADDRESS, "&state=s");
    for (interaction, error, problem) in
        [("deny=1", "access_denied", "identity_provider_refused"), ("login=7", "access_denied", "no_account")]
    {
        let reply = Browser::default().go(&world.users, &start, interaction).await.expect(302);
        let address = reply.header("location");
        let said = |name: &str| parameter(address, name).unwrap();
        assert_eq!((said("error").as_str(), said("problem").as_str()), (error, problem));
        assert!(said("state") == "s" && !said("error_description").is_empty());
        assert!(parameter(address, "code").is_none());
    }
    let mut browser = Browser::default();
    let back = browser.visit(&world.users, &start, "login=7").await;
    world.provider.kill().await;
    let reply = browser.open(&world.users, &back).await.expect(302);
    assert_eq!(parameter(reply.header("location"), "error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(world.users.event_types().await, [""; 0]);
}
