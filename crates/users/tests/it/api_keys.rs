//! API keys and service accounts: never more than their maker and their account have, and never after their time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};
use testkit::Reply;

use crate::{SignedIn, Users, user};

const KEYS: &str = "/api/v1/api-keys";

struct Key {
    id: String,
    client: String,
    secret: String,
}

async fn key(users: &Users, who: &SignedIn, body: Value) -> Key {
    let reply = users.by(who, "POST", KEYS).json(body).send().await.expect(201);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(users.event_types().await, ["api_key.created"]);
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Key { id: text("id"), client: text("client_id"), secret: text("client_secret") }
}

async fn post(users: &Users, form: String, basic: Option<(&str, &str)>) -> Reply {
    let call = users.call("POST", "/api/v1/auth/token").body("application/x-www-form-urlencoded", form);
    let call = match basic {
        Some((name, secret)) => {
            call.header("authorization", &format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))))
        }
        None => call,
    };
    let reply = call.send().await;
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-type"), "application/json");
    reply
}

fn form(key: &Key, more: &str) -> String {
    format!("grant_type=client_credentials&client_id={}&client_secret={}{more}", key.client, key.secret)
}

async fn token(users: &Users, key: &Key) -> String {
    post(users, form(key, ""), None).await.expect(200).json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_shown_once_exchanged_and_limited_to_its_scopes() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let key = key(&users, &admin, json!({"name": "Displays", "scopes": ["users.read", "profile.own"]})).await;
    let reply = post(&users, form(&key, "&scope=users.read"), None).await.expect(200).json();
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"], &reply["scope"]),
        (&json!("Bearer"), &json!(900), &json!("users.read"))
    );
    assert!(reply.get("refresh_token").is_none());
    let token = reply["access_token"].as_str().unwrap();
    users.call("GET", "/api/v1/users").bearer(token).send().await.expect(200);
    users.call("GET", "/api/v1/me").bearer(token).send().await.problem(403, "permission_required");
    let create = users.call("POST", "/api/v1/users").bearer(token);
    create
        .json(crate::new_user("x@example.com", Role::User))
        .send()
        .await
        .problem(403, "permission_required");
    let list = users.by(&admin, "GET", KEYS).send().await.expect(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&key.secret));
    let item = &list.json()["items"][0];
    assert_eq!((&item["name"], &item["last_used_at"]), (&json!("Displays"), &json!("2026-03-02T08:00:00Z")));
    let kept: Vec<u8> = sqlx::query_scalar("select hash from users.api_key")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    assert!(!kept.windows(8).any(|window| key.secret.as_bytes().windows(8).any(|part| part == window)));
}

#[tokio::test]
async fn the_form_and_its_errors_are_the_rfcs() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let key = key(&users, &admin, json!({"name": "x", "scopes": ["users.read"]})).await;
    let basic = Some((key.client.as_str(), key.secret.as_str()));
    post(&users, "grant_type=client_credentials".into(), basic).await.expect(200);
    let cases = [
        (form(&key, "&scope=users.manage"), None, 400, "invalid_scope"),
        (form(&key, "").replace("client_credentials", "password"), None, 400, "unsupported_grant_type"),
        (form(&key, "").replace("grant_type", "type"), None, 400, "invalid_request"),
        (form(&key, "&client_id=x"), None, 400, "invalid_request"),
        (form(&key, ""), basic, 400, "invalid_request"),
        (form(&key, "").replace("&client_secret=", "&client_secret=x"), None, 401, "invalid_client"),
        (form(&key, "").replace("&client_id=", "&client_id=x"), None, 401, "invalid_client"),
        ("grant_type=client_credentials".into(), None, 401, "invalid_client"),
        ("grant_type=client_credentials".into(), Some((key.client.as_str(), "x")), 401, "invalid_client"),
    ];
    for (form, basic, status, error) in cases {
        let reply = post(&users, form.clone(), basic).await.expect(status);
        assert_eq!(reply.json()["error"], error, "{form}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401);
    }
    let reply = users.call("POST", "/api/v1/auth/token").json(json!({})).send().await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let ask = |who: &SignedIn, body: Value| users.by(who, "POST", KEYS).json(body);
    ask(&manager, json!({"name": "x", "scopes": ["users.manage"]}))
        .send()
        .await
        .problem(403, "beyond_own_rights");
    let others = json!({"name": "x", "scopes": ["users.read"], "user_id": admin.id});
    ask(&manager, others).send().await.problem(403, "permission_required");
    let too_much = json!({"name": "x", "scopes": ["users.manage"], "user_id": manager.id});
    ask(&admin, too_much).send().await.problem(403, "beyond_own_rights");
    let problem = ask(&admin, json!({"name": "x", "scopes": ["everything"]}))
        .send()
        .await
        .problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "unknown_scope");
    // A key's own token cannot make keys: it is no fresh proof, and a stolen one would live for ever.
    let key = key(&users, &admin, json!({"name": "x", "scopes": ["profile.own", "users.manage"]})).await;
    let token = token(&users, &key).await;
    let more = users.call("POST", KEYS).bearer(&token).json(json!({"name": "y", "scopes": ["profile.own"]}));
    more.send().await.problem(403, "step_up_required");
    let path = format!("{KEYS}?user_id={}", admin.id);
    users.by(&manager, "GET", &path).send().await.problem(403, "permission_required");
    users.by(&manager, "DELETE", &format!("{KEYS}/{}", key.id)).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_service_account_has_keys_and_no_password() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let made = users
        .by(&admin, "POST", "/api/v1/service-accounts")
        .json(json!({"name": "Displays", "role": "manager"}));
    let account = made.send().await.expect(201).json();
    assert_eq!(users.event_types().await, ["user.created"]);
    let id = account["id"].as_str().unwrap();
    assert!(account["email"].as_str().unwrap().ends_with("@service.invalid"));
    let key = key(&users, &admin, json!({"name": "x", "scopes": ["users.read"], "user_id": id})).await;
    let token = token(&users, &key).await;
    users.call("GET", "/api/v1/users").bearer(&token).send().await.expect(200);
    // What the account loses, its keys lose; what it is not, they never are.
    let patch = users.by(&admin, "PATCH", &user(id)).header("if-match", "*").json(json!({"role": "user"}));
    patch.send().await.expect(200);
    let token = self::token(&users, &key).await;
    users.call("GET", "/api/v1/users").bearer(&token).send().await.problem(403, "permission_required");
    users.by(&admin, "DELETE", &user(id)).header("if-match", "*").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed", "user.removed"]);
    post(&users, form(&key, ""), None).await.expect(401);
}

#[tokio::test]
async fn a_key_ends_with_its_time_and_at_once_when_revoked() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let short = key(&users, &admin, json!({"name": "x", "scopes": ["users.read"], "days": 1})).await;
    let revoked = key(&users, &admin, json!({"name": "y", "scopes": ["users.read"]})).await;
    let path = format!("{KEYS}/{}", revoked.id);
    users.by(&admin, "DELETE", &path).send().await.expect(204);
    users.by(&admin, "DELETE", &path).send().await.problem(404, "not_found");
    assert_eq!(users.event_types().await, ["api_key.revoked"]);
    post(&users, form(&revoked, ""), None).await.expect(401);
    let told = users.call_internally("GET", "/internal/revocations?since=2026-03-02T08:00:00Z");
    assert_eq!(told.send().await.expect(200).json()["items"][0]["session"], json!(revoked.id));
    users.clock.advance(SignedDuration::from_hours(24) - SignedDuration::from_mins(5));
    let reply = post(&users, form(&short, ""), None).await.expect(200).json();
    assert_eq!(reply["expires_in"], 300, "a token does not outlive its key");
    users.clock.advance(SignedDuration::from_mins(5));
    post(&users, form(&short, ""), None).await.expect(401);
}

#[tokio::test]
async fn a_key_opens_its_own_organization() {
    let users = Users::start().await;
    let other = users.organization("other").await;
    let admin = users.admin().await;
    let key = key(&users, &admin, json!({"name": "x", "scopes": ["users.read"]})).await;
    let token = token(&users, &key).await;
    let path = user(&other.user_id.to_string());
    users.call("GET", &path).bearer(&token).send().await.problem(404, "not_found");
    let there = users.sign_in_at("other", "admin@example.com", crate::PASSWORD).await;
    users.by(&there, "DELETE", &format!("{KEYS}/{}", key.id)).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_key_signs_in_where_its_account_might() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let body = json!({"email": "ada@example.com", "password": crate::PASSWORD, "name": "Ada"});
    users.call("POST", "/api/v1/auth/register").json(body).send().await.expect(201);
    users.letter(&["user.created"]).await;
    let ada = users.sign_in("ada@example.com").await;
    let persons = key(&users, &ada, json!({"name": "x", "scopes": ["profile.own"]})).await;
    let made = users.by(&admin, "POST", "/api/v1/service-accounts");
    let made = made.json(json!({"name": "Displays", "role": "user"})).send().await.expect(201).json();
    assert_eq!(users.event_types().await, ["user.created"]);
    let body = json!({"name": "y", "scopes": ["profile.own"], "user_id": made["id"]});
    let programs = key(&users, &admin, body).await;
    users.set(&admin, json!({"verification": "demanded"})).await;
    let refused = post(&users, form(&persons, ""), None).await.expect(401);
    assert_eq!(refused.json()["error"], "invalid_client");
    post(&users, form(&programs, ""), None).await.expect(200);
    users.operator("POST", "/default/disable").send().await.expect(204);
    post(&users, form(&programs, ""), None).await.expect(401);
    users.operator("POST", "/default/enable").send().await.expect(204);
    post(&users, form(&programs, ""), None).await.expect(200);
    assert_eq!(users.event_types().await, ["organization.changed", "organization.changed"]);
}
