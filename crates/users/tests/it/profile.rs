//! What people change about themselves, and how an address becomes another.

use serde_json::{Value, json};

use crate::{PASSWORD, Users, user};

const ME: &str = "/api/v1/me";

#[tokio::test]
async fn people_change_their_profile_and_nothing_else() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", kernel::Role::User).await;
    let tag = users.by(&ada, "GET", ME).send().await.expect(200).header("etag").to_owned();
    let change = json!({"name": "Ada King", "locale": "en-GB", "time_zone": "Europe/London", "phone": "+436641234567",
                        "picture_url": "https://example.edu/ada.png", "preferences": {"theme": "dark"}});
    let patch = |body: Value| users.by(&ada, "PATCH", ME).json(body);
    patch(change.clone()).send().await.problem(428, "if_match_required");
    let changed = patch(change.clone()).header("if-match", &tag).send().await.expect(200).json();
    let events = users.events().await;
    let fields = json!(["name", "locale", "time_zone", "phone", "picture_url", "preferences"]);
    assert_eq!(events[0].data["fields"], fields);
    assert!(!events[0].data.to_string().contains("King") && !events[0].data.to_string().contains("664"));
    let me = users.by(&ada, "GET", ME).send().await.expect(200).json();
    for (name, value) in change.as_object().unwrap() {
        assert_eq!((&changed[name], &me[name]), (value, value), "{name}");
    }
    patch(json!({"name": "Late"})).header("if-match", &tag).send().await.problem(412, "stale_version");
    let cleared = patch(json!({"phone": null, "picture_url": null})).header("if-match", "*").send().await;
    let cleared = cleared.expect(200).json();
    assert_eq!(
        (&cleared["phone"], &cleared["picture_url"], &cleared["name"]),
        (&Value::Null, &Value::Null, &json!("Ada King"))
    );
    assert_eq!(users.event_types().await, ["user.changed"]);
    // What would be mass assignment is refused by name.
    for (field, value) in [
        ("role", json!("admin")),
        ("active", json!(true)),
        ("email", json!("a@example.com")),
        ("email_verified", json!(true)),
        ("groups", json!([])),
        ("id", json!(admin.id)),
    ] {
        let problem = patch(json!({field: value})).header("if-match", "*").send().await;
        assert_eq!(problem.problem(422, "invalid_input")["errors"][0]["code"], "unknown_field", "{field}");
    }
    for (field, value) in [
        ("phone", json!("0664")),
        ("picture_url", json!("http://example.edu/a.png")),
        ("preferences", json!([])),
        ("preferences", json!({"a": "x".repeat(4096)})),
        ("name", json!("a\nb")),
        ("locale", json!("english")),
    ] {
        let problem = patch(json!({field: value})).header("if-match", "*").send().await;
        let pointer = problem.problem(422, "invalid_input")["errors"][0]["pointer"].clone();
        assert_eq!(pointer, format!("/{field}"));
    }
}

#[tokio::test]
async fn an_address_changes_when_its_new_owner_confirms_and_the_old_one_is_told() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", kernel::Role::User).await;
    let ask = |email: &str, password: &str| {
        users.by(&ada, "POST", "/api/v1/me/email").json(json!({"email": email, "current_password": password}))
    };
    ask("new@example.com", "another password of words").send().await.problem(403, "wrong_password");
    ask("typo@example.com", PASSWORD).send().await.expect(204);
    let events = users.events().await;
    assert_eq!(events.len(), 2);
    let typo = users.write(&events[0].data["letter_id"]).send().await.expect(200).json();
    // The owner hears of it at once, where they read now.
    let notice = users.write(&events[1].data["letter_id"]).send().await.expect(200).json();
    let told = (&notice["kind"], &notice["email"], &notice["token"]);
    assert_eq!(told, (&json!("email_change_asked"), &json!("ada@example.com"), &Value::Null));
    ask("new@example.com", PASSWORD).send().await.expect(204);
    let letter = users.letter(&[]).await;
    assert_eq!((&letter["kind"], &letter["email"]), (&json!("email_change"), &json!("new@example.com")));
    let confirm =
        |token: &Value| users.call("POST", "/api/v1/auth/confirm-email").json(json!({"token": token}));
    confirm(&typo["token"]).send().await.problem(422, "invalid_link");
    users.sign_in("ada@example.com").await;
    confirm(&letter["token"]).send().await.expect(204);
    let notice = users.letter(&["user.changed"]).await;
    let told = (&notice["kind"], &notice["email"], &notice["token"]);
    assert_eq!(told, (&json!("email_changed"), &json!("ada@example.com"), &Value::Null));
    users.sign_in("new@example.com").await;
    users.login("default", "ada@example.com", PASSWORD).send().await.problem(401, "invalid_credentials");
    confirm(&letter["token"]).send().await.problem(422, "invalid_link");
    // Whether an address is taken, only its owner learns.
    ask("admin@example.com", PASSWORD).send().await.expect(204);
    let taken = users.letter(&[]).await;
    confirm(&taken["token"]).send().await.problem(409, "email_taken");
}

#[tokio::test]
async fn of_a_removed_account_no_table_knows_the_person() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada.secret@example.com", kernel::Role::User).await;
    let profile = json!({"name": "Ada Secret", "phone": "+436649876543", "picture_url": "https://example.edu/secret.png",
                         "preferences": {"diet": "secret"}});
    users.by(&ada, "PATCH", ME).header("if-match", "*").json(profile).send().await.expect(200);
    let wish = json!({"email": "new.secret@example.com", "current_password": PASSWORD});
    users.by(&ada, "POST", "/api/v1/me/email").json(wish).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed", "letter.requested", "letter.requested"]);
    assert!(users.everything().await.to_lowercase().contains("secret"));
    users.by(&admin, "DELETE", &user(&ada.id)).header("if-match", "*").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
    let left = users.everything().await.to_lowercase();
    assert!(!left.contains("secret") && !left.contains("436649876543"), "{left}");
}
