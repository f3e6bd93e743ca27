//! Passkeys: added, listed and removed; alone, beside a password, and as a fresh proof.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};

use crate::device::{Device, HERE};
use crate::second_factor::claims;
use crate::{PASSWORD, SignedIn, Users};

const LIST: &str = "/api/v1/me/passkeys";

fn session(tokens: &Value, who: &SignedIn) -> SignedIn {
    let text = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
    SignedIn { id: who.id.clone(), access: text("access_token"), refresh: text("refresh_token") }
}

#[tokio::test]
async fn a_passkey_signs_in_alone_and_is_two_factors() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, added) = users.enrol(&admin).await;
    assert_eq!((&added["name"], &added["synced"]), (&json!("Phone"), &json!(true)));
    assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
    let tokens = users.sign_in_with(&mut device).await.expect(200);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    assert_eq!(claims(&tokens).acr.as_deref(), Some("2"));
    let me = session(&tokens, &admin);
    let body = users.by(&me, "GET", "/api/v1/me").send().await.expect(200).json();
    assert_eq!(body["id"], admin.id);
    let list = users.by(&me, "GET", LIST).send().await.expect(200).json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["id"]), (1, &added["id"]));
    assert!(list["items"][0]["last_used_at"].is_string());
    assert_eq!(users.event_types().await, ["session.started"]);
}

#[tokio::test]
async fn beside_a_password_it_is_the_second_factor() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, added) = users.enrol(&admin).await;
    let first = || users.login("default", "admin@example.com", PASSWORD).send();
    let problem = first().await.problem(403, "second_factor_required");
    assert_eq!(problem["methods"], json!(["passkey", "recovery_code"]));
    let second = |body: Value| users.call("POST", "/api/v1/auth/second-factor").json(body).send();
    let challenge = &problem["challenge"];
    for neither in [
        json!({"challenge": challenge}),
        json!({"challenge": challenge, "code": "000000", "passkey": {"ceremony": "x", "credential": {}}}),
    ] {
        let refusal = second(neither).await.problem(422, "invalid_input");
        assert_eq!(refusal["errors"][0]["code"], "one_of");
    }
    let signed = device.sign(HERE, &problem["passkey"]["options"]);
    let body = json!({"challenge": challenge, "passkey": {"ceremony": problem["passkey"]["ceremony"], "credential": signed}});
    let tokens = second(body.clone()).await.expect(200).json();
    assert_eq!(claims(&tokens).acr.as_deref(), Some("2"));
    second(body).await.problem(401, "invalid_challenge");
    // The codes on paper stay, for when the device is lost.
    let problem = first().await.problem(403, "second_factor_required");
    let code = json!({"challenge": problem["challenge"], "code": added["recovery_codes"][0]});
    second(code).await.expect(200);
    let types = users.event_types().await;
    assert_eq!(types, ["session.started", "user.second_factor_changed", "session.started"]);
}

#[tokio::test]
async fn it_is_a_fresh_proof() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    users.clock.advance(SignedDuration::from_mins(11));
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    let admin = session(&next, &admin);
    let policy = json!({"second_factor_roles": ["admin"]});
    let put = |who: &SignedIn| users.by(who, "PUT", "/api/v1/sign-in-policy").json(&policy).send();
    put(&admin).await.problem(403, "step_up_required");
    let (ceremony, options) = users.options(users.by(&admin, "POST", "/api/v1/auth/step-up/options")).await;
    let signed = device.sign(HERE, &options);
    let body = json!({"passkey": {"ceremony": ceremony, "credential": signed}});
    let step_up = || users.by(&admin, "POST", "/api/v1/auth/step-up").json(&body).send();
    let tokens = step_up().await.expect(200).json();
    put(&session(&tokens, &admin)).await.expect(200);
    step_up().await.problem(401, "invalid_passkey");
    let both = json!({"password": PASSWORD, "passkey": body["passkey"]});
    let refusal = users.by(&admin, "POST", "/api/v1/auth/step-up").json(both).send().await;
    assert_eq!(refusal.problem(422, "invalid_input")["errors"][0]["code"], "one_of");
    assert_eq!(users.event_types().await, ["organization.sign_in_policy_changed"]);
}

#[tokio::test]
async fn a_role_that_needs_a_second_factor_has_enough_with_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let policy = json!({"second_factor_roles": ["user"]});
    users.by(&admin, "PUT", "/api/v1/sign-in-policy").json(policy).send().await.expect(200);
    assert_eq!(users.event_types().await, ["organization.sign_in_policy_changed"]);
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    assert_eq!(
        claims(&json!({"access_token": ada.access})).scope.map(String::from),
        Some("profile.own".into())
    );
    users.enrol(&ada).await;
    let next = users.refresh(&ada.refresh).send().await.expect(200).json();
    assert!(next.get("scope").is_none(), "{next}");
    let disable = json!({"current_password": PASSWORD});
    let disable = users.by(&ada, "POST", "/api/v1/me/second-factor/disable").json(disable);
    disable.send().await.problem(409, "second_factor_demanded");
}

#[tokio::test]
async fn the_last_one_goes_with_the_second_factor_alone() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, first) = users.enrol(&admin).await;
    let (mut other, second) = users.enrol(&admin).await;
    assert!(second.get("recovery_codes").is_none(), "the codes of the first one stay");
    let remove = |id: &Value| users.by(&admin, "DELETE", &format!("{LIST}/{}", id.as_str().unwrap())).send();
    remove(&first["id"]).await.expect(204);
    remove(&first["id"]).await.problem(404, "not_found");
    users.sign_in_with(&mut device).await.problem(401, "invalid_passkey");
    remove(&second["id"]).await.problem(409, "last_second_factor");
    users.sign_in_with(&mut other).await.expect(200);
    let disable = users.by(&admin, "POST", "/api/v1/me/second-factor/disable");
    disable.json(json!({"current_password": PASSWORD})).send().await.expect(204);
    users.sign_in_with(&mut other).await.problem(401, "invalid_passkey");
    let types = users.event_types().await;
    assert_eq!(types, ["user.second_factor_changed", "session.started", "user.second_factor_changed"]);
    users.admin().await;
}

#[tokio::test]
async fn making_and_removing_take_a_fresh_proof() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let mut device = Device::new();
    let (ceremony, options) = users.begin_passkey(&admin).await;
    let made = device.make(HERE, &options);
    users.clock.advance(SignedDuration::from_mins(11));
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    let admin = session(&next, &admin);
    users.by(&admin, "POST", "/api/v1/me/passkeys/options").send().await.problem(403, "step_up_required");
    users.add(&admin, &ceremony, &made).send().await.problem(403, "step_up_required");
    let path = format!("{LIST}/01936f6e-0000-7000-8000-000000000000");
    users.by(&admin, "DELETE", &path).send().await.problem(403, "step_up_required");
}
