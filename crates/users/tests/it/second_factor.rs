//! Second factors: set up, asked for, never taken twice, and demanded by role.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};
use testkit::Call;
use totp_rs::{Builder, Secret};

use crate::{PASSWORD, SignedIn, Users};

const TOTP: &str = "/api/v1/me/second-factor/totp";

/// A code as an app makes it of the secret that was shown, some steps from now.
pub(crate) fn code(users: &Users, secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let app = Builder::new().with_secret(secret).build().unwrap();
    app.generate(u64::try_from(users.now().as_second() + 30 * steps).unwrap()).to_string()
}

/// Sets a second factor up; its secret and the recovery codes.
pub(crate) async fn enable(users: &Users, who: &SignedIn) -> (String, Vec<String>) {
    let body = users.by(who, "POST", TOTP).send().await.expect(200).json();
    let secret = body["secret"].as_str().unwrap().to_owned();
    assert!(body["url"].as_str().unwrap().contains(&secret));
    let confirm = users.by(who, "POST", &format!("{TOTP}/confirm"));
    let body = confirm.json(json!({"code": code(users, &secret, 0)})).send().await.expect(200).json();
    let events = users.events().await;
    assert_eq!((events.len(), &events[0].data["change"]), (1, &json!("enabled")));
    let codes = body["recovery_codes"].as_array().unwrap();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

/// The first step; the challenge.
async fn first_step(users: &Users) -> String {
    let problem = users
        .login("default", "admin@example.com", PASSWORD)
        .send()
        .await
        .problem(403, "second_factor_required");
    assert_eq!(problem["methods"], json!(["totp", "recovery_code"]));
    problem["challenge"].as_str().unwrap().to_owned()
}

pub(crate) fn second_step(users: &Users, challenge: &str, code: &str) -> Call {
    users.call("POST", "/api/v1/auth/second-factor").json(json!({"challenge": challenge, "code": code}))
}

pub(crate) fn claims(tokens: &Value) -> platform::auth::Claims {
    let token = tokens["access_token"].as_str().unwrap();
    jsonwebtoken::dangerous::insecure_decode::<platform::auth::Claims>(token).unwrap().claims
}

#[tokio::test]
async fn signing_in_takes_two_steps_and_each_code_once() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    second_step(&users, &challenge, "000000").send().await.problem(401, "invalid_code");
    // The one that confirmed was used.
    second_step(&users, &challenge, &code(&users, &secret, 0)).send().await.problem(401, "invalid_code");
    let next = code(&users, &secret, 1);
    let tokens = second_step(&users, &challenge, &next).send().await.expect(200).json();
    assert_eq!(claims(&tokens).acr.as_deref(), Some("2"));
    second_step(&users, &challenge, &next).send().await.problem(401, "invalid_challenge");
    let again = first_step(&users).await;
    second_step(&users, &again, &next).send().await.problem(401, "invalid_code");
    users.clock.advance(SignedDuration::from_secs(30));
    second_step(&users, &again, &code(&users, &secret, 1)).send().await.expect(200);
    assert_eq!(users.event_types().await, ["session.started", "session.started"]);
}

#[tokio::test]
async fn of_one_code_at_once_one_is_taken() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let (one, other) = (first_step(&users).await, first_step(&users).await);
    let code = code(&users, &secret, 1);
    let calls = [&one, &other, &one, &other]
        .map(|challenge| tokio::spawn(second_step(&users, challenge, &code).send()));
    let mut taken = 0;
    for call in calls {
        taken += u32::from(call.await.unwrap().status == 200);
    }
    assert_eq!(taken, 1);
    assert_eq!(users.event_types().await, ["session.started"]);
}

#[tokio::test]
async fn a_recovery_code_works_once_and_its_owner_is_told() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (_, codes) = enable(&users, &admin).await;
    let typed = codes[3].to_lowercase().replace('-', " ");
    second_step(&users, &first_step(&users).await, &typed).send().await.expect(200);
    let events = users.events().await;
    assert_eq!((events.len(), &events[0].data["change"]), (2, &json!("recovery_code_used")));
    second_step(&users, &first_step(&users).await, &codes[3]).send().await.problem(401, "invalid_code");
    let new =
        users.by(&admin, "POST", "/api/v1/me/second-factor/recovery-codes").send().await.expect(200).json();
    assert_eq!(users.event_types().await, ["user.second_factor_changed"]);
    second_step(&users, &first_step(&users).await, &codes[4]).send().await.problem(401, "invalid_code");
    let code = new["recovery_codes"][0].as_str().unwrap();
    second_step(&users, &first_step(&users).await, code).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.second_factor_changed", "session.started"]);
}

#[tokio::test]
async fn a_challenge_is_of_its_account_and_five_minutes_and_guesses_are_counted() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    for text in ["x", &"A".repeat(86), &format!("{}{}", &challenge[..60], "A".repeat(26))] {
        second_step(&users, text, "000000").send().await.problem(401, "invalid_challenge");
    }
    for _ in 0..6 {
        second_step(&users, &challenge, "000000").send().await.problem(401, "invalid_code");
    }
    second_step(&users, &challenge, &code(&users, &secret, 1)).send().await.problem(429, "too_many_attempts");
    users.clock.advance(SignedDuration::from_mins(5));
    second_step(&users, &challenge, &code(&users, &secret, 0)).send().await.problem(401, "invalid_challenge");
    // Signing in with the password again does not give more guesses.
    second_step(&users, &first_step(&users).await, "000000").send().await.problem(401, "invalid_code");
    second_step(&users, &first_step(&users).await, "000000").send().await.problem(429, "too_many_attempts");
}

#[tokio::test]
async fn what_is_begun_asks_for_nothing_until_it_is_confirmed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.by(&admin, "POST", TOTP).send().await.expect(200);
    users.admin().await;
    let confirm =
        |code: String| users.by(&admin, "POST", &format!("{TOTP}/confirm")).json(json!({"code": code}));
    confirm("000000".into()).send().await.problem(401, "invalid_code");
    enable(&users, &admin).await;
    confirm("000000".into()).send().await.problem(409, "second_factor_enabled");
    users.by(&admin, "POST", TOTP).send().await.problem(409, "second_factor_enabled");
}

#[tokio::test]
async fn a_step_up_takes_both_and_disabling_the_password_alone_must_do() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let step_up = |code: Option<String>| {
        users.by(&admin, "POST", "/api/v1/auth/step-up").json(json!({"password": PASSWORD, "code": code}))
    };
    step_up(None).send().await.problem(401, "invalid_code");
    step_up(Some(code(&users, &secret, 0))).send().await.problem(401, "invalid_code");
    let tokens = step_up(Some(code(&users, &secret, 1))).send().await.expect(200).json();
    assert_eq!(claims(&tokens).acr.as_deref(), Some("2"));
    // With a second factor, eight characters do: without it they would not.
    let short = "7hV!kq2#";
    let change = json!({"current_password": PASSWORD, "new_password": short});
    users.by(&admin, "POST", "/api/v1/me/password").json(change).send().await.expect(204);
    let disable = |password: &str| {
        users
            .by(&admin, "POST", "/api/v1/me/second-factor/disable")
            .json(json!({"current_password": password}))
    };
    disable(PASSWORD).send().await.problem(403, "wrong_password");
    let problem = disable(short).send().await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "password_too_short");
    let change = json!({"current_password": short, "new_password": PASSWORD});
    users.by(&admin, "POST", "/api/v1/me/password").json(change).send().await.expect(204);
    disable(PASSWORD).send().await.expect(204);
    disable(PASSWORD).send().await.problem(409, "no_second_factor");
    assert_eq!(users.event_types().await, ["user.changed", "user.changed", "user.second_factor_changed"]);
    users.admin().await;
}

#[tokio::test]
async fn a_role_that_needs_one_can_do_nothing_but_set_it_up() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let policy =
        || users.by(&admin, "PUT", "/api/v1/sign-in-policy").json(json!({"second_factor_roles": ["admin"]}));
    policy().send().await.expect(200);
    policy().send().await.expect(200);
    assert_eq!(
        users.event_types().await,
        ["organization.sign_in_policy_changed"],
        "once, as it did not change again"
    );
    let tokens = users.login("default", "admin@example.com", PASSWORD).send().await.expect(200).json();
    assert_eq!(
        (&tokens["scope"], users.event_types().await),
        (&json!("profile.own"), vec!["session.started".to_owned()])
    );
    let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap().to_owned();
    let limited = SignedIn {
        id: admin.id.clone(),
        access: text(&tokens, "access_token"),
        refresh: text(&tokens, "refresh_token"),
    };
    users.by(&limited, "GET", "/api/v1/users").send().await.problem(403, "permission_required");
    users.by(&limited, "GET", "/api/v1/me").send().await.expect(200);
    // The session that was there before is limited with its next tokens as well.
    let next = users.refresh(&admin.refresh).send().await.expect(200).json();
    assert_eq!(next["scope"], "profile.own");
    enable(&users, &limited).await;
    let next = users.refresh(&limited.refresh).send().await.expect(200).json();
    assert_eq!((next.get("scope"), claims(&next).acr.as_deref()), (None, Some("2")));
    let whole = SignedIn { access: text(&next, "access_token"), ..limited };
    users.by(&whole, "GET", "/api/v1/users").send().await.expect(200);
    let disable = users.by(&whole, "POST", "/api/v1/me/second-factor/disable");
    disable.json(json!({"current_password": PASSWORD})).send().await.problem(409, "second_factor_demanded");
    let read = users.by(&whole, "GET", "/api/v1/sign-in-policy").send().await.expect(200).json();
    assert_eq!(read, json!({"second_factor_roles": ["admin"]}));
    let person = users.someone(&whole, "u@example.com", Role::User).await;
    users.by(&person, "GET", "/api/v1/sign-in-policy").send().await.problem(403, "permission_required");
}

#[tokio::test]
async fn the_second_step_heeds_what_changed_after_the_first() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
    users.call("POST", "/api/v1/auth/register").json(body).send().await.expect(201);
    users.letter(&["user.created"]).await;
    let ada = users.sign_in("ada@example.com").await;
    let (secret, _) = enable(&users, &ada).await;
    let login = users.login("default", "ada@example.com", PASSWORD);
    let problem = login.send().await.problem(403, "second_factor_required");
    let challenge = problem["challenge"].as_str().unwrap();
    let step = || second_step(&users, challenge, &code(&users, &secret, 1));

    users.operator("POST", "/default/disable").send().await.expect(204);
    step().send().await.problem(401, "invalid_challenge");
    users.operator("POST", "/default/enable").send().await.expect(204);
    assert_eq!(users.event_types().await, ["organization.changed", "organization.changed"]);
    users.set(&admin, json!({"verification": "demanded"})).await;
    step().send().await.problem(403, "email_not_verified");
    users.set(&admin, json!({"verification": "optional"})).await;
    step().send().await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"]);
}
