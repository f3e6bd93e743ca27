//! Signing in through a real OpenID provider.

mod accounts;
mod client;
mod hostile;
mod second_proof;
mod settings;

use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::{CLIENT_ID, CLIENT_SECRET, IdentityProvider, Reply};

use crate::identity_provider::{Browser, PUBLIC};
use crate::{SignedIn, Users};

pub const PATH: &str = "/api/v1/organization/single-sign-on";
pub const START: &str = "/api/v1/auth/sso/start";
pub const CLIENT_ADDRESS: &str = "https://booking.example.edu/signed-in";

/// The service, and a provider that its organization uses.
pub struct World {
    pub users: Users,
    pub admin: SignedIn,
    pub provider: IdentityProvider,
}

/// People at the provider.
pub fn people() -> Value {
    let person = |name: &str, verified: Value, groups: Value| {
        json!({"name": name, "email": format!("{}@example.edu", name.to_lowercase()), "email_verified": verified,
               "groups": groups})
    };
    json!({
        "7": person("Ada", json!(true), json!(["desk", "staff", "unheard-of"])),
        "8": person("Bob", json!(true), json!([])),
        "9": person("Eve", json!(false), json!(["it"])),
        "10": person("Max", Value::Null, json!(["it"])),
        "11": json!({"name": "Zoe", "email": "zoe@elsewhere.example", "email_verified": true}),
        "12": json!({}),
    })
}

impl World {
    /// With the groups told at the userinfo endpoint, and settings in place of the usual ones.
    pub async fn start(changes: Value) -> Self {
        Self::start_with(people(), false, "RS256", changes).await
    }

    pub async fn start_with(people: Value, in_id_token: bool, algorithm: &str, changes: Value) -> Self {
        let users = Users::start().await;
        now(&users);
        let admin = users.admin().await;
        let redirect_uri = callback(&users.first.organization_id.to_string());
        let provider = IdentityProvider::start(&[redirect_uri], people, in_id_token, algorithm).await;
        let world = Self { users, admin, provider };
        world.set(changes).await;
        world
    }

    /// Sets the provider.
    pub async fn set(&self, changes: Value) -> Value {
        let settings = self.put(changes).await.expect(200).json();
        assert_eq!(self.users.event_types().await, ["organization.single_sign_on_changed"]);
        settings
    }

    pub async fn put(&self, changes: Value) -> Reply {
        let mut body = json!({"issuer": self.provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "scopes": ["email", "profile", "groups"], "create_accounts": true, "email_domains": ["example.edu"],
            "return_to": [CLIENT_ADDRESS]});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.users.by(&self.admin, "PUT", PATH).json(body).send().await
    }

    /// Signs in as somebody, in a new browser.
    pub async fn sign_in(&self, interaction: &str) -> Reply {
        Browser::default().go(&self.users, START, interaction).await
    }

    /// The same, with what came of it: the account, and the tokens.
    pub async fn signed_in(&self, interaction: &str, events: &[&str]) -> (Value, SignedIn) {
        let tokens = self.sign_in(interaction).await.expect(200).json();
        assert_eq!(self.users.event_types().await, events);
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        let me = self.users.call("GET", "/api/v1/me").bearer(&access).send().await.expect(200).json();
        let id = me["id"].as_str().unwrap().to_owned();
        (me, SignedIn { id, access, refresh })
    }
}

/// Where the provider sends browsers that come from an organization.
pub fn callback(organization: &str) -> String {
    format!("{PUBLIC}/api/v1/auth/sso/callback/{organization}")
}

/// The provider's clock is the real one.
#[expect(clippy::disallowed_methods, reason = "a process that is not ours cannot be handed a clock")]
pub fn now(users: &Users) {
    users.clock.set(Timestamp::now());
}

pub const NEW: [&str; 3] = ["user.created", "user.identity_linked", "session.started"];

#[tokio::test]
async fn who_is_new_gets_an_account_and_whoever_comes_back_finds_it() {
    for (in_id_token, algorithm) in [(false, "RS256"), (true, "ES256"), (true, "EdDSA")] {
        let world = World::start_with(people(), in_id_token, algorithm, json!({})).await;
        let (me, ada) = world.signed_in("login=7", &NEW).await;
        assert_eq!((&me["email"], &me["name"]), (&json!("ada@example.edu"), &json!("Ada")));
        assert_eq!((&me["role"], &me["email_verified"]), (&json!("user"), &json!(true)));
        let (again, _) = world.signed_in("login=7", &["session.started"]).await;
        assert_eq!(again["id"], me["id"]);
        // It is a session like any other.
        world.users.refresh(&ada.refresh).send().await.expect(200);
        let sessions = world.users.by(&ada, "GET", "/api/v1/me/sessions").send().await.expect(200).json();
        assert_eq!(sessions["items"].as_array().unwrap().len(), 2);
        // And nobody has a password for it.
        let login = world.users.login("default", "ada@example.edu", crate::PASSWORD);
        login.send().await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn a_browser_is_sent_with_all_that_makes_its_answer_its_own() {
    let world = World::start(json!({})).await;
    let sent = Browser::default().open(&world.users, START).await.expect(302);
    let cookie = sent.header("set-cookie");
    assert!(cookie.starts_with("__Host-reservas-sso-"), "{cookie}");
    for attribute in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(sent.header("cache-control"), "no-store");
    let address = sent.header("location");
    let said = |name: &str| crate::identity_provider::parameter(address, name).unwrap();
    assert_eq!(said("response_type"), "code");
    assert_eq!(said("code_challenge_method"), "S256");
    assert_eq!(said("scope"), "openid email groups profile");
    assert_eq!(said("redirect_uri"), callback(&world.users.first.organization_id.to_string()));
    assert_eq!((said("nonce").len(), said("code_challenge").len(), said("state").len()), (43, 43, 86));
    let again = Browser::default().open(&world.users, START).await.expect(302);
    for name in ["nonce", "code_challenge", "state"] {
        assert_ne!(crate::identity_provider::parameter(again.header("location"), name).unwrap(), said(name));
    }
    // What is kept is of no use to who reads it.
    let rows: Vec<String> = sqlx::query_scalar("select f::text from users.sign_on_flow f")
        .fetch_all(&mut world.users.owner().await)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| !row.contains(&said("nonce")) && !row.contains(&said("state"))));
}

#[tokio::test]
async fn a_state_works_once_in_its_browser_for_its_organization_and_ten_minutes() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    users.organization("other").await;
    // Another browser: somebody is lured into somebody else's sign-in.
    let mut browser = Browser::default();
    let back = browser.visit(users, START, "login=7").await;
    Browser::default().open(users, &back).await.problem(401, "invalid_sign_on");
    let mut stranger = Browser::default();
    stranger.open(users, START).await.expect(302);
    stranger.open(users, &back).await.problem(401, "invalid_sign_on");
    // Another organization's address.
    let own = users.first.organization_id.to_string();
    let elsewhere = back.replace(&own, "01936f6e-0000-7000-8000-000000000000");
    browser.open(users, &elsewhere).await.problem(401, "invalid_sign_on");
    // None of that has used it up; its own browser does.
    browser.open(users, &back).await.expect(200);
    assert_eq!(users.event_types().await, NEW);
    browser.open(users, &back).await.problem(401, "invalid_sign_on");
    for nothing in ["", "?state=", "?state=x&code=y", &format!("?state={}", "A".repeat(86))] {
        let path = format!("{}{nothing}", callback(&own));
        browser.open(users, &path).await.problem(401, "invalid_sign_on");
    }
    let late = browser.visit(users, START, "login=7").await;
    users.clock.advance(jiff::SignedDuration::from_mins(10));
    browser.open(users, &late).await.problem(401, "invalid_sign_on");
}

#[tokio::test]
async fn of_one_answer_opened_twice_at_once_one_signs_in() {
    let world = World::start(json!({})).await;
    let mut browser = Browser::default();
    let back = browser.visit(&world.users, START, "login=7").await;
    let path = back.strip_prefix(PUBLIC).unwrap();
    let cookie = browser.cookie();
    let open = || world.users.call("GET", path).header("cookie", &cookie).send();
    let (one, other) = tokio::join!(open(), open());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(world.users.event_types().await, NEW);
}

#[tokio::test]
async fn a_provider_that_changes_its_keys_is_followed_at_once() {
    let mut world = World::start(json!({})).await;
    world.signed_in("login=7", &NEW).await;
    world.provider.rotate().await;
    world.signed_in("login=7", &["session.started"]).await;
}

#[tokio::test]
async fn a_provider_that_says_no_or_nothing_is_told_apart() {
    let mut world = World::start(json!({})).await;
    world.sign_in("deny=1").await.problem(403, "identity_provider_refused");
    let mut browser = Browser::default();
    let back = browser.visit(&world.users, START, "login=7").await;
    // Codes are for whom they were given.
    let forged = back.replace("code=", "code=x");
    browser.open(&world.users, &forged).await.problem(403, "identity_provider_refused");
    let back = browser.visit(&world.users, START, "login=7").await;
    let other = back.replace("&iss=", "&iss=x");
    assert_ne!(other, back);
    browser.open(&world.users, &other).await.problem(403, "identity_not_proven");
    let back = browser.visit(&world.users, START, "login=7").await;
    world.provider.kill().await;
    browser.open(&world.users, &back).await.problem(503, "identity_provider_unavailable");
}
