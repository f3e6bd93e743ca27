//! What would give an organization or an account to somebody else, and does not.

use serde_json::{Value, json};
use users::store::slugs::MOST_SLUGS;

use crate::reset_password::{asked, forgot, reset, token};
use crate::second_factor::{code, enable, first_step, second_step};
use crate::{PASSWORD, SignedIn, Users};

const NEW: &str = "staple battery horse correct";

#[tokio::test]
async fn no_organization_takes_the_name_under_which_another_is_meant() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.organization("other").await;
    let other = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let patch = |change: Value| {
        users.by(&other, "PATCH", "/api/v1/organization").header("if-match", "*").json(change)
    };
    let problem = patch(json!({"hosts": ["localhost"]})).send().await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "unknown_field");
    users.set(&admin, json!({"slug": "first"})).await;
    users.set(&admin, json!({"slug": "second"})).await;
    // People still sign in with the names that it had, and with none.
    for slug in ["default", "first", "second"] {
        patch(json!({"slug": slug})).send().await.problem(409, "slug_taken");
        let body = json!({"slug": slug, "name": "Another", "admin_email": "boss@example.com"});
        users.operator("POST", "").json(body).send().await.problem(409, "slug_taken");
    }
    users.set(&admin, json!({"slug": "default"})).await;
    // Nobody keeps all names for themselves.
    for number in 1..MOST_SLUGS {
        users.set(&other, json!({"slug": format!("other-{number}")})).await;
    }
    patch(json!({"slug": "one-more"})).send().await.problem(409, "too_many_slugs");
    users.set(&other, json!({"slug": "other"})).await;
}

#[tokio::test]
async fn the_name_that_is_meant_without_one_is_not_to_be_had() {
    let users = Users::start().await;
    users.organization("other").await;
    let other = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    // As in an installation whose first organization had another name from the beginning.
    let statements = [
        "delete from users.kept_slug where slug = 'default'",
        "update users.organization set slug = 'first' where slug = 'default'",
    ];
    for statement in statements {
        sqlx::query(statement).execute(&mut users.owner().await).await.unwrap();
    }
    let patch = users.by(&other, "PATCH", "/api/v1/organization").header("if-match", "*");
    patch.json(json!({"slug": "default"})).send().await.problem(409, "slug_taken");
}

/// Somebody who knows the password asks for an address of their own; the token of its link.
async fn change_of_address(users: &Users, thief: &SignedIn) -> Value {
    let body = json!({"email": "thief@example.com", "current_password": PASSWORD});
    users.by(thief, "POST", "/api/v1/me/email").json(body).send().await.expect(204);
    let events = users.events().await;
    users.write(&events[0].data["letter_id"]).send().await.expect(200).json()["token"].clone()
}

#[tokio::test]
async fn another_password_ends_a_change_of_address_that_was_asked_for_with_the_old_one() {
    let users = Users::start().await;
    let thief = users.admin().await;
    let confirm = |link: Value| users.call("POST", "/api/v1/auth/confirm-email").json(json!({"token": link}));
    let link = change_of_address(&users, &thief).await;
    forgot(&users, "admin@example.com").await;
    let mail = token(&users, &asked(&users).await).await;
    reset(&users, &mail, PASSWORD).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.password_reset", "user.changed", "session.ended"]);
    confirm(link).send().await.problem(422, "invalid_link");

    let thief = users.admin().await;
    let owner = users.admin().await;
    let link = change_of_address(&users, &thief).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    users.by(&owner, "POST", "/api/v1/me/password").json(body).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed", "session.ended"]);
    confirm(link).send().await.problem(422, "invalid_link");
    users.sign_in_at("default", "admin@example.com", NEW).await;
}

#[tokio::test]
async fn another_password_ends_a_sign_in_that_was_begun_with_the_old_one() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let challenge = first_step(&users).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    users.by(&admin, "POST", "/api/v1/me/password").json(body).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed"]);
    let step = second_step(&users, &challenge, &code(&users, &secret, 1));
    step.send().await.problem(401, "invalid_challenge");
}
