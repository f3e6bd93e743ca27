//! Managers of some places and people: given by administrators, in every token, gone with the role.

use kernel::Role;
use serde_json::{Value, json};

use crate::api_keys::{key, token};
use crate::second_factor::claims;
use crate::sessions::elsewhere;
use crate::{PASSWORD, SignedIn, Users, new_user, user};

const PLACE: &str = "0198c6a0-0000-7000-8000-000000000001";

async fn group(users: &Users, admin: &SignedIn) -> Value {
    let call = users.by(admin, "POST", "/api/v1/groups").json(json!({"name": "Physicists"}));
    call.send().await.expect(201).json()["id"].clone()
}

/// The remit in a token.
fn remit(tokens: &Value) -> Value {
    serde_json::to_value(claims(tokens).remit).unwrap()
}

async fn login(users: &Users, email: &str) -> Value {
    users.login("default", email, PASSWORD).send().await.expect(200).json()
}

#[tokio::test]
async fn it_is_in_every_token_and_what_was_before_is_worth_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let group = group(&users, &admin).await;
    let tokens = login(&users, "m@example.com").await;
    assert_eq!(remit(&tokens), Value::Null);
    let (verifier, revocations) = elsewhere(&users).await;
    let given = json!({"locations": [PLACE], "groups": [group]});
    let patch = async |body: Value| {
        users.by(&admin, "PATCH", &user(&manager.id)).header("if-match", "*").json(body).send().await
    };
    let after = patch(json!({"remit": given})).await.expect(200).json();
    assert_eq!(after["remit"], given);
    let changed = users.events().await.pop().unwrap();
    assert_eq!((&changed.data["fields"], &changed.data["after"]["remit"]), (&json!(["remit"]), &given));
    revocations.step(users.now()).await.unwrap();
    let old = tokens["access_token"].as_str().unwrap();
    assert_eq!(verifier.verify(old).await.unwrap_err().code, "token_expired");
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let tokens = users.call("POST", "/api/v1/auth/refresh").json(refresh).send().await.expect(200).json();
    assert_eq!(remit(&tokens), given);
    assert_eq!(remit(&login(&users, "m@example.com").await), given);
    // Another change leaves it, null takes it away, and so does another role, for good.
    assert_eq!(patch(json!({"name": "Other"})).await.expect(200).json()["remit"], given);
    assert_eq!(patch(json!({"remit": null})).await.expect(200).json()["remit"], Value::Null);
    patch(json!({"remit": given})).await.expect(200);
    assert_eq!(patch(json!({"role": "user"})).await.expect(200).json()["remit"], Value::Null);
    assert_eq!(patch(json!({"role": "manager"})).await.expect(200).json()["remit"], Value::Null);
    users.events().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let person = users.someone(&admin, "u@example.com", Role::User).await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let many: Vec<String> = (0..21).map(|n| format!("0198c6a0-0000-7000-8000-0000000000{n:02}")).collect();
    for (id, remit, code) in [
        (&person.id, json!({"locations": [PLACE]}), "managers_only"),
        (&admin.id, json!({"locations": [PLACE]}), "managers_only"),
        (&manager.id, json!({"groups": [PLACE]}), "not_found"),
        (&manager.id, json!({"locations": many}), "invalid_value"),
    ] {
        let call = users.by(&admin, "PATCH", &user(id)).header("if-match", "*").json(json!({"remit": remit}));
        let problem = call.send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    // A manager gives no remit to anybody, least of all to themselves.
    let call = users.by(&manager, "PATCH", &user(&manager.id)).header("if-match", "*");
    call.json(json!({"remit": null})).send().await.problem(403, "permission_required");
}

#[tokio::test]
async fn new_accounts_invitations_and_keys_have_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let given = json!({"locations": [PLACE], "groups": []});
    let with = |mut body: Value| {
        body["remit"] = given.clone();
        body
    };
    let made = users.by(&admin, "POST", "/api/v1/users").json(with(new_user("m@example.com", Role::Manager)));
    assert_eq!(made.send().await.expect(201).json()["remit"], given);
    assert_eq!(remit(&login(&users, "m@example.com").await), given);
    let wrong = users.by(&admin, "POST", "/api/v1/users").json(with(new_user("a@example.com", Role::Admin)));
    assert_eq!(wrong.send().await.problem(422, "invalid_input")["errors"][0]["code"], "managers_only");
    let invited = with(json!({"email": "i@example.com", "name": "I", "role": "manager"}));
    let invitation = users.by(&admin, "POST", "/api/v1/invitations").json(invited).send().await.expect(201);
    assert_eq!(invitation.json()["remit"], given);
    let letter = users.letter(&["user.created", "session.started", "invitation.created"]).await;
    let body = json!({"token": letter["token"], "password": PASSWORD});
    let accepted = users.call("POST", "/api/v1/auth/accept-invitation").json(body).send().await.expect(201);
    assert_eq!(accepted.json()["remit"], given);
    let service = with(json!({"name": "Displays", "role": "manager"}));
    let service = users.by(&admin, "POST", "/api/v1/service-accounts").json(service).send().await.expect(201);
    let body = json!({"name": "Key", "user_id": service.json()["id"], "scopes": ["bookings.manage"]});
    users.events().await;
    let key = key(&users, &admin, body).await;
    assert_eq!(remit(&json!({"access_token": token(&users, &key).await})), given);
    users.events().await;
}
