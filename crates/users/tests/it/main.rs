//! The user service on the real PostgreSQL, with tokens that it minted and verifies itself.
#![expect(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod api_keys;
mod at_once;
mod audit;
mod authorization;
mod change_password;
mod counting;
mod create_user;
mod delete_me;
mod delete_user;
mod device;
mod export;
mod get_contact;
mod get_key_set;
mod get_me;
mod giving;
mod group_rules;
mod groups;
mod identity_provider;
mod import_users;
mod keys;
mod letters;
mod list_users;
mod login;
mod openapi;
mod organization;
mod pages;
mod passkey_refusals;
mod passkeys;
mod profile;
mod races;
mod refresh;
mod register;
mod remit;
mod reset_password;
mod schema;
mod scim;
mod sealing;
mod second_factor;
mod sessions;
mod setup;
mod single_sign_on;
mod step_up;
mod takeover;
mod throttle;
mod update_user;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::Role;
use platform::auth::{Keys, Verifier};
use platform::config::Secret;
use platform::http::client::client;
use platform::service::Context;
use serde_json::{Value, json};
use testkit::{Call, TestApp};
use users::{Config, FirstAdministrator};

/// Everyone's password, where nothing else is said.
const PASSWORD: &str = "correct horse battery staple";

/// What the operator shows.
const OPERATOR: &str = "the operator's token of these tests";

/// As little work as bcrypt allows.
fn config() -> Config {
    Config {
        bcrypt_cost: 4,
        operator_token: Secret::from(OPERATOR.to_owned()),
        public_url: device::HERE.to_owned(),
        identity_providers: "development".to_owned(),
        ..Config::default()
    }
}

/// The service with an organization `default`, and its administrator.
struct Users {
    app: TestApp,
    first: FirstAdministrator,
}

impl Deref for Users {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// Someone who has signed in.
#[derive(Debug, Clone)]
struct SignedIn {
    id: String,
    access: String,
    refresh: String,
}

/// The service's routes, believing the tokens that it mints itself.
async fn router(context: Context) -> Router {
    router_with(context, config()).await
}

async fn router_with(mut context: Context, config: Config) -> Router {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/.well-known/jwks.json", listener.local_addr().unwrap());
    let keys = Keys::at(url, client(Duration::from_secs(5)).unwrap());
    context.verifier = Verifier::new(Arc::new(keys), context.clock.clone());
    let router = users::start(context, config).await.unwrap();
    let served = router.clone();
    tokio::spawn(async move { axum::serve(listener, served).await.unwrap() });
    router
}

impl Users {
    async fn start() -> Self {
        let app = TestApp::start(users::schema(), router).await;
        let first = users::bootstrap(&app.context, &config(), "admin@example.com", Some(PASSWORD)).await;
        assert_eq!(app.event_types().await, ["organization.created", "user.created"]);
        Self { first: first.unwrap().unwrap(), app }
    }

    /// Another organization, and its administrator.
    async fn organization(&self, slug: &str) -> FirstAdministrator {
        let (name, email) = ("Another", "admin@example.com");
        let made =
            users::create_organization(&self.context, &config(), slug, name, email, Some(PASSWORD)).await;
        assert_eq!(self.event_types().await, ["organization.created", "user.created"]);
        made.unwrap()
    }

    fn login(&self, organization: &str, email: &str, password: &str) -> Call {
        let body = json!({"organization": organization, "email": email, "password": password});
        self.call("POST", "/api/v1/auth/login").json(body)
    }

    async fn sign_in_at(&self, organization: &str, email: &str, password: &str) -> SignedIn {
        let tokens = self.login(organization, email, password).send().await.expect(200).json();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        let me = self.call("GET", "/api/v1/me").bearer(&access).send().await.expect(200).json();
        assert_eq!(self.event_types().await, ["session.started"]);
        SignedIn { id: me["id"].as_str().unwrap().to_owned(), access, refresh }
    }

    async fn sign_in(&self, email: &str) -> SignedIn {
        self.sign_in_at("default", email, PASSWORD).await
    }

    async fn admin(&self) -> SignedIn {
        self.sign_in("admin@example.com").await
    }

    /// A call by someone who has signed in.
    fn by(&self, who: &SignedIn, method: &str, path: &str) -> Call {
        self.call(method, path).bearer(&who.access)
    }

    fn refresh(&self, token: &str) -> Call {
        self.call("POST", "/api/v1/auth/refresh").json(json!({"refresh_token": token}))
    }

    /// Waits for what is written beside an answer: so many events of a type, since the beginning.
    async fn written(&self, kind: &str, count: i64) {
        let mut owner = self.owner().await;
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let statement = "select count(*) from users.event where type = $1";
        loop {
            tick.tick().await;
            let query = sqlx::query_scalar::<_, i64>(statement).bind(kind);
            if query.fetch_one(&mut owner).await.unwrap() >= count {
                return;
            }
        }
    }

    /// A new account of a role, signed in.
    async fn someone(&self, admin: &SignedIn, email: &str, role: Role) -> SignedIn {
        self.by(admin, "POST", "/api/v1/users").json(new_user(email, role)).send().await.expect(201);
        assert_eq!(self.event_types().await, ["user.created"]);
        self.sign_in(email).await
    }
}

fn new_user(email: &str, role: Role) -> Value {
    json!({"email": email, "name": "Ada Lovelace", "password": PASSWORD, "role": role})
}

fn user(id: &str) -> String {
    format!("/api/v1/users/{id}")
}
