//! `POST /api/v1/auth/forgot-password` and `/api/v1/auth/reset-password`.

use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::Call;
use users::store::passwords;

use crate::{PASSWORD, Users};

const NEW: &str = "staple battery horse correct";

pub(crate) async fn forgot(users: &Users, email: &str) -> Vec<u8> {
    let body = json!({"email": email});
    let reply = users.call("POST", "/api/v1/auth/forgot-password").json(body).send().await;
    reply.expect(202).body
}

/// Waits for the event that is written beside the answer; the id of the request.
pub(crate) async fn asked(users: &Users) -> String {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
    loop {
        tick.tick().await;
        if let Some(event) = users.events().await.pop() {
            assert_eq!(event.kind, "reservas.user.password_reset_requested.v1");
            return event.data["reset_id"].as_str().unwrap().to_owned();
        }
    }
}

fn link(users: &Users, reset: &str) -> Call {
    let organization = users.first.organization_id;
    users.call_internally(
        "POST",
        &format!("/internal/organizations/{organization}/password-resets/{reset}/link"),
    )
}

pub(crate) async fn token(users: &Users, reset: &str) -> String {
    let link: Value = link(users, reset).send().await.expect(200).json();
    link["token"].as_str().unwrap().to_owned()
}

pub(crate) fn reset(users: &Users, token: &str, password: &str) -> Call {
    let body = json!({"token": token, "new_password": password});
    users.call("POST", "/api/v1/auth/reset-password").json(body)
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_signs_everybody_out() {
    let users = Users::start().await;
    let thief = users.admin().await;
    forgot(&users, "admin@example.com").await;
    let asked = asked(&users).await;
    let token = token(&users, &asked).await;
    reset(&users, &token, NEW).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.password_reset", "user.changed", "session.ended"]);
    users.refresh(&thief.refresh).send().await.problem(401, "invalid_refresh_token");
    reset(&users, &token, PASSWORD).send().await.problem(403, "invalid_reset");
    users.login("default", "admin@example.com", PASSWORD).send().await.problem(401, "invalid_credentials");
    users.sign_in_at("default", "admin@example.com", NEW).await;
    link(&users, &asked).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_weak_password_does_not_use_the_link_up() {
    let users = Users::start().await;
    forgot(&users, "admin@example.com").await;
    let token = token(&users, &asked(&users).await).await;
    for (password, code) in [("short", "password_too_short"), ("aaaaaaaaaaaaaaaaaaaa", "password_weak")] {
        let problem = reset(&users, &token, password).send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["code"], code);
    }
    reset(&users, &token, NEW).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.password_reset", "user.changed"]);
}

#[tokio::test]
async fn a_link_is_of_one_account_and_one_hour_and_the_last_counts() {
    let users = Users::start().await;
    forgot(&users, "admin@example.com").await;
    let asked = asked(&users).await;
    let first = token(&users, &asked).await;
    let second = token(&users, &asked).await;
    reset(&users, &first, NEW).send().await.problem(403, "invalid_reset");
    let forged = format!("{}{}", &second[..60], "A".repeat(26));
    for token in [forged.as_str(), "x", &"A".repeat(86)] {
        reset(&users, token, NEW).send().await.problem(403, "invalid_reset");
    }
    users.clock.advance(SignedDuration::from_mins(60));
    reset(&users, &second, NEW).send().await.problem(403, "invalid_reset");
    link(&users, &asked).send().await.problem(404, "not_found");
    users
        .call("POST", "/internal/organizations/x/password-resets/y/link")
        .send()
        .await
        .problem(401, "internal_token_required");
}

#[tokio::test]
async fn the_answer_shows_nothing_and_mails_are_few() {
    let users = Users::start().await;
    let there = forgot(&users, "admin@example.com").await;
    assert_eq!(there, forgot(&users, "nobody@example.com").await);
    asked(&users).await;
    for _ in 0..2 {
        forgot(&users, "admin@example.com").await;
        asked(&users).await;
    }
    let (organization, user) = (users.first.organization_id, users.first.user_id);
    let ask = async || {
        let mut tx = users.context.db.begin(organization).await.unwrap();
        let until = users.now() + SignedDuration::from_hours(1);
        let asked = passwords::ask_reset(&mut tx, organization, user, users.now(), until).await.unwrap();
        tx.commit().await.unwrap();
        asked
    };
    assert_eq!(ask().await, None, "the fourth within the hour leads to nothing");
    users.clock.advance(SignedDuration::from_mins(61));
    assert!(ask().await.is_some());
    let owner = &mut users.owner().await;
    let left: i64 =
        sqlx::query_scalar("select count(*) from users.password_reset").fetch_one(owner).await.unwrap();
    assert_eq!(left, 1, "what is too old goes with the next");
}

#[tokio::test]
async fn of_two_at_once_one_sets_the_password() {
    let users = Users::start().await;
    forgot(&users, "admin@example.com").await;
    let token = token(&users, &asked(&users).await).await;
    let calls: Vec<_> =
        (0..4).map(|number| tokio::spawn(reset(&users, &token, &format!("{NEW} {number}")).send())).collect();
    let mut set = 0;
    for call in calls {
        set += u32::from(call.await.unwrap().status == 204);
    }
    assert_eq!(set, 1);
    assert_eq!(users.event_types().await, ["user.password_reset", "user.changed"]);
}

#[tokio::test]
async fn an_imported_account_gets_its_first_password_by_the_organizations_rules() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let file = users.by(&admin, "POST", "/api/v1/users/import");
    let file = file.body("text/csv", "email,name\nada@example.com,Ada\n");
    assert_eq!(file.send().await.expect(200).json()["totals"]["created"], 1);
    assert_eq!(users.event_types().await, ["user.created"]);
    let login = |password: &str| users.login("default", "ada@example.com", password);
    login(NEW).send().await.problem(401, "invalid_credentials");
    users.set(&admin, json!({"password_min_length": 40})).await;
    forgot(&users, "ada@example.com").await;
    let token = token(&users, &asked(&users).await).await;
    let problem = reset(&users, &token, NEW).send().await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["code"], "password_too_short");
    let long = "staple battery horse correct, and then some";
    reset(&users, &token, long).send().await.expect(204);
    login(long).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.password_reset", "user.changed", "session.started"]);
}

#[tokio::test]
async fn another_address_ends_links_to_the_old_one() {
    let users = Users::start().await;
    let admin = users.admin().await;
    forgot(&users, "admin@example.com").await;
    let token = token(&users, &asked(&users).await).await;
    let body = json!({"email": "boss@example.com", "current_password": PASSWORD});
    users.by(&admin, "POST", "/api/v1/me/email").json(body).send().await.expect(204);
    let letter = users.letter(&["letter.requested"]).await;
    let confirm = users.call("POST", "/api/v1/auth/confirm-email");
    confirm.json(json!({"token": letter["token"]})).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed", "letter.requested"]);
    reset(&users, &token, NEW).send().await.problem(403, "invalid_reset");
}
