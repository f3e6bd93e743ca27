//! Settings of an organization, how people name theirs, and what the operator does with them.

use jiff::SignedDuration;
use kernel::Role;
use platform::config::Secret;
use serde_json::{Value, json};

use crate::{OPERATOR, PASSWORD, SignedIn, Users};

const PATH: &str = "/api/v1/organization";

impl Users {
    pub(crate) async fn set(&self, admin: &SignedIn, change: Value) {
        let call = self.by(admin, "PATCH", PATH).header("if-match", "*").json(change);
        call.send().await.expect(200);
        assert_eq!(self.event_types().await, ["organization.changed"]);
    }

    pub(crate) fn operator(&self, method: &str, path: &str) -> testkit::Call {
        self.call(method, &format!("/operator/organizations{path}")).bearer(OPERATOR)
    }
}

#[tokio::test]
async fn settings_are_read_and_changed_with_their_version() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let read = users.by(&admin, "GET", PATH).send().await.expect(200);
    let tag = read.header("etag").to_owned();
    assert_eq!(read.json()["self_registration"], true, "the first organization is open");
    let change = json!({"name": "TU Wien", "session_idle_minutes": 60,
                        "branding": {"primary": "#006699", "accent": "#ffffff"}});
    let patch = || users.by(&admin, "PATCH", PATH).json(change.clone());
    patch().send().await.problem(428, "if_match_required");
    patch().header("if-match", "\"999\"").send().await.problem(412, "stale_version");
    let changed = patch().header("if-match", &tag).send().await.expect(200);
    let events = users.events().await;
    let data = &events[0].data;
    assert_eq!(data["fields"], json!(["name", "session_idle_minutes", "branding"]));
    assert_eq!((&data["before"]["name"], &data["after"]["name"]), (&json!("Default"), &json!("TU Wien")));
    assert_eq!(events[0].actorid.map(|id| id.to_string()), Some(admin.id.clone()));
    let again = users.by(&admin, "GET", PATH).send().await.expect(200);
    assert_eq!((again.json(), again.header("etag")), (changed.json(), changed.header("etag")));
    // The same once more is no change.
    let same = users.by(&admin, "PATCH", PATH).header("if-match", "*").json(change.clone()).send().await;
    assert_eq!(same.expect(200).header("etag"), changed.header("etag"));
}

#[tokio::test]
async fn each_setting_that_is_wrong_is_named() {
    let users = Users::start().await;
    let admin = users.admin().await;
    for (field, value) in [
        ("name", json!("")),
        ("slug", json!("Not A Slug")),
        ("time_zone", json!("Europe/Atlantis")),
        ("locale", json!("english")),
        // The operator's to say.
        ("hosts", json!(["booking.example.edu"])),
        ("email_domains", json!(["example"])),
        ("session_idle_minutes", json!(4)),
        ("session_absolute_days", json!(366)),
        ("password_min_length", json!(7)),
        ("branding", json!({"primary": "red", "accent": "#ffffff"})),
        ("verification", json!("perhaps")),
        ("active", json!(false)),
    ] {
        let call = users.by(&admin, "PATCH", PATH).header("if-match", "*").json(json!({field: value}));
        let problem = call.send().await.problem(422, "invalid_input");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(&format!("/{field}")), "{problem}");
    }
}

#[tokio::test]
async fn only_administrators_see_and_change_settings() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    users.by(&manager, "GET", PATH).send().await.problem(403, "permission_required");
    let patch = users.by(&manager, "PATCH", PATH).header("if-match", "*").json(json!({"name": "Mine"}));
    patch.send().await.problem(403, "permission_required");
}

#[tokio::test]
async fn whoever_signs_in_names_the_organization_by_slug_header_or_host() {
    let users = Users::start().await;
    let credentials = json!({"email": "admin@example.com", "password": PASSWORD});
    let sign_in = async |headers: &[(&'static str, &str)]| {
        let mut call = users.call("POST", "/api/v1/auth/login").json(credentials.clone());
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let tokens = call.send().await.expect(200).json();
        assert_eq!(users.event_types().await, ["session.started"]);
        let me = users.call("GET", "/api/v1/me").bearer(tokens["access_token"].as_str().unwrap());
        me.send().await.expect(200).json()["organization"]["slug"].as_str().unwrap().to_owned()
    };
    // The only one needs no name, whatever it is called.
    let admin = users.admin().await;
    users.set(&admin, json!({"slug": "first"})).await;
    assert_eq!(sign_in(&[]).await, "first");
    users.set(&admin, json!({"slug": "default"})).await;
    users.organization("other").await;
    users
        .operator("PUT", "/other/hosts")
        .json(json!({"hosts": ["other.example.edu"]}))
        .send()
        .await
        .expect(204);
    assert_eq!(users.event_types().await, ["organization.changed"]);
    assert_eq!(sign_in(&[]).await, "default");
    assert_eq!(sign_in(&[("x-organization", "other")]).await, "other");
    assert_eq!(sign_in(&[("host", "other.example.edu:8080")]).await, "other");
    assert_eq!(sign_in(&[("x-forwarded-host", "Other.example.edu"), ("host", "users")]).await, "other");
    assert_eq!(sign_in(&[("x-organization", "default"), ("host", "other.example.edu")]).await, "default");
    let call = users.call("POST", "/api/v1/auth/login").json(credentials.clone());
    call.header("x-organization", "nowhere").send().await.problem(401, "invalid_credentials");
    // A host name is one organization's.
    let put = |path: &str, hosts: Value| users.operator("PUT", path).json(json!({"hosts": hosts}));
    put("/default/hosts", json!(["other.example.edu"])).send().await.problem(409, "host_taken");
    put("/nowhere/hosts", json!([])).send().await.problem(404, "not_found");
    for wrong in ["Booking.Example.edu", "example.edu:8080", ""] {
        let problem = put("/other/hosts", json!([wrong])).send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/hosts");
    }
    let listed = users.operator("GET", "").send().await.expect(200).json();
    assert_eq!(listed["items"][1]["hosts"], json!(["other.example.edu"]));
    let taken = users.by(&admin, "PATCH", PATH).header("if-match", "*").json(json!({"slug": "other"}));
    taken.send().await.problem(409, "slug_taken");
}

#[tokio::test]
async fn nobody_of_a_disabled_organization_signs_in_or_refreshes() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.operator("POST", "/default/disable").send().await.expect(204);
    assert_eq!(users.event_types().await, ["organization.changed"]);
    users.refresh(&admin.refresh).send().await.problem(401, "invalid_refresh_token");
    let login = users.login("default", "admin@example.com", PASSWORD);
    login.send().await.problem(401, "invalid_credentials");
    let register = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
    let register = users.call("POST", "/api/v1/auth/register").json(register);
    register.send().await.problem(403, "registration_closed");
    users.operator("POST", "/default/enable").send().await.expect(204);
    assert_eq!(users.event_types().await, ["organization.changed"]);
    users.refresh(&admin.refresh).send().await.expect(200);
}

#[tokio::test]
async fn the_operator_makes_and_lists_organizations_and_nobody_else_does() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let body = json!({"slug": "beta", "name": "Beta", "admin_email": "Boss@Beta.example"});
    let made = users.operator("POST", "").json(body.clone()).send().await.expect(201).json();
    assert_eq!(users.event_types().await, ["organization.created", "user.created"]);
    let password = made["admin_password"].as_str().unwrap();
    let boss = users.sign_in_at("beta", "boss@beta.example", password).await;
    let settings = users.by(&boss, "GET", PATH).send().await.expect(200).json();
    assert_eq!(
        settings["self_registration"], false,
        "a further organization is closed until it opens itself"
    );
    users.operator("POST", "").json(body.clone()).send().await.problem(409, "slug_taken");
    users.operator("POST", "/nowhere/disable").send().await.problem(404, "not_found");
    let first = users.operator("GET", "?limit=1").send().await.expect(200).json();
    assert_eq!(first["items"][0]["slug"], "beta");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = users.operator("GET", &format!("?cursor={cursor}")).send().await.expect(200).json();
    assert_eq!((&second["items"][0]["name"], &second["next_cursor"]), (&json!("Default"), &Value::Null));
    for (method, path) in [
        ("GET", ""),
        ("POST", ""),
        ("POST", "/beta/disable"),
        ("POST", "/beta/enable"),
        ("PUT", "/beta/hosts"),
    ] {
        let path = format!("/operator/organizations{path}");
        for token in [admin.access.as_str(), "", "the-internal-token-of-the-tests"] {
            let call = users.call(method, &path).bearer(token).json(body.clone());
            call.send().await.problem(401, "operator_token_required");
        }
    }
    let short = users::Config { operator_token: Secret::from("short".to_owned()), ..crate::config() };
    assert!(users::start(users.context.clone(), short).await.is_err());
}

#[tokio::test]
async fn sessions_and_passwords_keep_to_the_settings() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let change = json!({"session_idle_minutes": 60, "session_absolute_days": 1, "password_min_length": 40});
    users.set(&admin, change).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
    let register = users.call("POST", "/api/v1/auth/register").json(body);
    let problem = register.send().await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "password_too_short");
    users.clock.advance(SignedDuration::from_mins(59));
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    users.clock.advance(SignedDuration::from_mins(60));
    let idle = users.refresh(next["refresh_token"].as_str().unwrap()).send().await;
    idle.problem(401, "invalid_refresh_token");
    // The installation would let one that is remembered go on for a month.
    let remembered = json!({"email": "admin@example.com", "password": PASSWORD, "remember": true});
    let login = users.call("POST", "/api/v1/auth/login").json(remembered);
    let tokens = login.send().await.expect(200).json();
    let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(users.event_types().await, ["session.started"]);
    for _ in 0..25 {
        users.clock.advance(SignedDuration::from_mins(55));
        let next = users.refresh(&token).send().await.expect(200).json();
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    users.clock.advance(SignedDuration::from_mins(65));
    users.refresh(&token).send().await.problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn only_admitted_domains_register() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.set(&admin, json!({"email_domains": ["example.edu"]})).await;
    let register = |email: &str| {
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
        users.call("POST", "/api/v1/auth/register").json(body)
    };
    for email in ["ada@example.com", "ada@evil-example.edu", "ada@sub.example.edu", "admin@example.com"] {
        let problem = register(email).send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["code"], "domain_not_admitted", "{email}");
    }
    register("ada@Example.edu").send().await.expect(201);
    assert_eq!(users.event_types().await, ["user.created", "letter.requested"]);
}
