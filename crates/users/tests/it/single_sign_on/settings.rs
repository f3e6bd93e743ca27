//! What administrators set about the provider, and what is refused.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};
use testkit::{CLIENT_ID, CLIENT_SECRET};

use super::{CLIENT_ADDRESS, NEW, PATH, START, World, callback};
use crate::identity_provider::Browser;
use crate::{PASSWORD, Users};

#[tokio::test]
async fn settings_read_back_and_the_secret_does_not() {
    let world = World::start(json!({"roles": {"desk": "manager"}})).await;
    let (users, admin) = (&world.users, &world.admin);
    let read = users.by(admin, "GET", PATH).send().await.expect(200);
    assert!(!String::from_utf8_lossy(&read.body).contains("secret"), "{}", read.json());
    let read = read.json();
    assert_eq!(read["issuer"], world.provider.issuer);
    assert_eq!(read["roles"], json!({"desk": "manager"}));
    assert_eq!(read["redirect_uri"], callback(&users.first.organization_id.to_string()));
    // The same once more is no change; the secret stays when it is not sent, and is told of when it changes.
    world.put(json!({"roles": {"desk": "manager"}})).await.expect(200);
    world.put(json!({"roles": {"desk": "manager"}, "client_secret": null})).await.expect(200);
    assert_eq!(users.event_types().await, [""; 0]);
    world.put(json!({"client_secret": "another one"})).await.expect(200);
    let event = users.events().await.remove(0);
    assert_eq!(event.data["before"]["roles"], json!({"desk": "manager"}));
    assert_eq!((&event.data["after"]["roles"], &event.data["secret_changed"]), (&json!({}), &json!(true)));
    assert!(!event.data.to_string().contains("another one"));
    world.sign_in("login=7").await.problem(403, "identity_provider_refused");
    users.by(admin, "DELETE", PATH).send().await.expect(204);
    let event = users.events().await.remove(0);
    assert_eq!((event.data["after"].is_null(), event.data["before"].is_object()), (true, true));
    users.by(admin, "DELETE", PATH).send().await.expect(204);
    users.by(admin, "GET", PATH).send().await.problem(404, "no_single_sign_on");
    users.call("GET", START).send().await.problem(404, "no_single_sign_on");
    let left: i64 = sqlx::query_scalar("select count(*) from users.single_sign_on")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn each_setting_that_is_wrong_is_named() {
    let world = World::start(json!({})).await;
    for (field, value) in [
        ("issuer", json!("")),
        ("issuer", json!("login.example.edu")),
        ("issuer", json!("https://login.example.edu/?x")),
        ("issuer", json!("ftp://login.example.edu")),
        ("issuer", json!(format!("{}/", world.provider.issuer))),
        ("issuer", json!("http://127.0.0.1:1")),
        ("client_id", json!("")),
        ("client_secret", json!("")),
        ("scopes", json!(["two words"])),
        ("groups_claim", json!("")),
        ("roles", json!({"desk": "owner"})),
        ("roles", json!({"": "user"})),
        ("groups", json!({"desk": "01936f6e-0000-7000-8000-000000000000"})),
        ("default_role", json!("admin")),
        ("email_domains", json!(["example"])),
        ("return_to", json!(["javascript:alert(1)"])),
        ("return_to", json!(["http://booking.example.edu/"])),
        ("multi_factor_acr", json!([""])),
        ("unheard_of", json!(1)),
    ] {
        let problem = world.put(json!({field: value})).await.problem(422, "invalid_input");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(&format!("/{field}")), "{problem}");
    }
    let trusting = json!({"assume_email_verified": true, "email_domains": []});
    let problem = world.put(trusting).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/email_domains");
    // A secret is never shown to another provider than it was given for.
    let mut other = json!({"client_secret": null, "client_id": "other"});
    let problem = world.put(other.clone()).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/client_secret");
    other["client_secret"] = json!("another");
    world.set(other).await;
}

#[tokio::test]
async fn what_the_provider_lacks_is_said() {
    let world = World::start(json!({})).await;
    let problem = world.put(json!({"issuer": "http://127.0.0.1:1"})).await.problem(422, "invalid_input");
    let error = &problem["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/issuer"), &json!("provider_unusable")));
    assert!(error["detail"].as_str().unwrap().contains("/.well-known/openid-configuration"), "{error}");
}

#[tokio::test]
async fn only_administrators_who_proved_it_a_moment_ago_set_it() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let manager = users.someone(&world.admin, "m@example.com", Role::Manager).await;
    let body = json!({"issuer": world.provider.issuer, "client_id": CLIENT_ID});
    for method in ["GET", "PUT", "DELETE"] {
        users.call(method, PATH).json(&body).send().await.problem(401, "token_required");
        users.by(&manager, method, PATH).json(&body).send().await.problem(403, "permission_required");
    }
    users.clock.advance(SignedDuration::from_mins(10) + SignedDuration::from_secs(1));
    for method in ["PUT", "DELETE"] {
        users.by(&world.admin, method, PATH).json(&body).send().await.problem(403, "step_up_required");
    }
}

#[tokio::test]
async fn organizations_know_nothing_of_each_others_providers() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    let (ada, _) = world.signed_in("login=7", &NEW).await;
    users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    users.by(&there, "GET", PATH).send().await.problem(404, "no_single_sign_on");
    users.by(&there, "DELETE", PATH).send().await.expect(204);
    users.by(&world.admin, "GET", PATH).send().await.expect(200);
    let ada = ada["id"].as_str().unwrap();
    let unlink = format!("/api/v1/users/{ada}/single-sign-on");
    users.by(&there, "DELETE", &unlink).send().await.problem(404, "not_found");
    users.call("GET", &format!("{START}?organization=other")).send().await.problem(404, "no_single_sign_on");
    users.call("GET", &format!("{START}?organization=none")).send().await.problem(404, "no_single_sign_on");
    // The same provider for both: the same person is somebody else in each, and answers for one are none for the other.
    let body = json!({"issuer": world.provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                      "return_to": [CLIENT_ADDRESS]});
    users.by(&there, "PUT", PATH).json(body).send().await.expect(200);
    assert_eq!(users.event_types().await, ["organization.single_sign_on_changed"]);
    let mut browser = Browser::default();
    let back = browser.visit(users, START, "login=7").await;
    let other = users.context.db.begin_without_organization().await;
    drop(other);
    let own = users.first.organization_id.to_string();
    let elsewhere: String =
        sqlx::query_scalar("select organization_id::text from users.organization where slug = 'other'")
            .fetch_one(&mut users.owner().await)
            .await
            .unwrap();
    browser.open(users, &back.replace(&own, &elsewhere)).await.problem(401, "invalid_sign_on");
    for table in ["single_sign_on", "identity", "sign_on_flow"] {
        let mut tx = users.context.db.begin_without_organization().await.unwrap();
        let statement = format!("select count(*) from users.{table}");
        let seen =
            sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(statement)).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(seen, 0, "{table} is seen outside of its organization");
    }
}

#[tokio::test]
async fn where_passwords_are_not_enough_administrators_keep_theirs() {
    let world = World::start(json!({})).await;
    let users = &world.users;
    users.someone(&world.admin, "bob@example.edu", Role::User).await;
    let login = async |email: &str| users.login("default", email, PASSWORD).send().await;
    world.set(json!({"password_sign_in": false})).await;
    login("bob@example.edu").await.problem(403, "single_sign_on_demanded");
    users.login("default", "bob@example.edu", "wrong").send().await.problem(401, "invalid_credentials");
    login("admin@example.com").await.expect(200);
    // The account is his, and his password comes back with the setting.
    let (_, bob) =
        world.signed_in("login=8", &["session.started", "user.identity_linked", "session.started"]).await;
    assert!(!bob.id.is_empty());
    world.set(json!({})).await;
    login("bob@example.edu").await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"]);
    let gone =
        "delete from users.password where user_id = (select id from users.account where role = 'admin')";
    sqlx::query(gone).execute(&mut users.owner().await).await.unwrap();
    let problem = world.put(json!({"password_sign_in": false})).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "no_way_back");
}

#[tokio::test]
async fn an_inside_address_is_asked_only_where_the_operator_allows_it() {
    let app = testkit::TestApp::start(users::schema(), async |context| {
        let config = users::Config { identity_providers: "public".into(), ..crate::config() };
        crate::router_with(context, config).await
    })
    .await;
    let first = users::bootstrap(&app.context, &crate::config(), "admin@example.com", Some(PASSWORD)).await;
    let users = Users { first: first.unwrap().unwrap(), app };
    assert_eq!(users.event_types().await, ["organization.created", "user.created"]);
    let admin = users.admin().await;
    for issuer in
        ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://localhost:1", "https://169.254.169.254"]
    {
        let body: Value = json!({"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET});
        let problem = users.by(&admin, "PUT", PATH).json(body).send().await.problem(422, "invalid_input");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("not a public one") || detail.contains("https address"), "{detail}");
    }
}
