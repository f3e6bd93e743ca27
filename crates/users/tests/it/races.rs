//! Two things at once, one of which was begun before the other and ends after it: held up at a lock, not by luck.

use std::time::Duration;

use serde_json::json;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::second_factor::{claims, enable};
use crate::{PASSWORD, Users};

impl Users {
    /// Waits until so many wait for a lock in the test's database.
    async fn waiting(&self, number: i64) {
        let statement = "select count(*) from pg_stat_activity
                         where datname = current_database() and wait_event_type = 'Lock'";
        let owner = &mut self.owner().await;
        let waited = async {
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            loop {
                tick.tick().await;
                let count: i64 = sqlx::query_scalar(statement).fetch_one(&mut *owner).await.unwrap();
                if count >= number {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(8), waited).await.unwrap();
    }
}

/// A hash of another password.
const ANOTHER: &str = "$2b$04$nobodynobodynobodynobuYjQz9Zn8mVqk1sVxW3hE5tR7yU9iO1u";
const SET: &str = "update users.password set hash = $1";
const LOCK: &str = "select from users.account for no key update";

#[tokio::test]
async fn a_sign_in_with_the_old_password_does_not_outlive_it() {
    let users = Users::start().await;
    let mut owner: PgConnection = users.owner().await;
    let mut change = owner.begin().await.unwrap();
    sqlx::query(LOCK).execute(&mut *change).await.unwrap();
    let login = tokio::spawn(users.login("default", "admin@example.com", PASSWORD).send());
    users.waiting(1).await;
    sqlx::query(SET).bind(ANOTHER).execute(&mut *change).await.unwrap();
    change.commit().await.unwrap();
    login.await.unwrap().problem(401, "invalid_credentials");
    assert_eq!(users.event_types().await, [""; 0], "no session began");
}

#[tokio::test]
async fn a_proof_by_the_old_password_does_not_outlive_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    enable(&users, &admin).await;
    let hash: String = sqlx::query_scalar("select hash from users.password")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    for (path, body) in [
        ("/api/v1/me/email", json!({"email": "new@example.com", "current_password": PASSWORD})),
        (
            "/api/v1/me/password",
            json!({"current_password": PASSWORD, "new_password": "staple battery horse correct"}),
        ),
        ("/api/v1/me/second-factor/disable", json!({"current_password": PASSWORD})),
        ("/api/v1/auth/step-up", json!({"password": PASSWORD, "code": "000000"})),
    ] {
        let mut owner = users.owner().await;
        let mut change = owner.begin().await.unwrap();
        sqlx::query(LOCK).execute(&mut *change).await.unwrap();
        let call = tokio::spawn(users.by(&admin, "POST", path).json(body).send());
        users.waiting(1).await;
        sqlx::query(SET).bind(ANOTHER).execute(&mut *change).await.unwrap();
        change.commit().await.unwrap();
        call.await.unwrap().problem(403, "wrong_password");
        sqlx::query(SET).bind(&hash).execute(&mut owner).await.unwrap();
    }
    assert_eq!(users.event_types().await, [""; 0], "nothing changed");
}

#[tokio::test]
async fn a_sign_in_beside_a_change_of_policy_heeds_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let mut owner = users.owner().await;
    let mut held = owner.begin().await.unwrap();
    sqlx::query(LOCK).execute(&mut *held).await.unwrap();
    let login = tokio::spawn(users.login("default", "admin@example.com", PASSWORD).send());
    users.waiting(1).await;
    let policy = json!({"second_factor_roles": ["admin"]});
    let put = tokio::spawn(users.by(&admin, "PUT", "/api/v1/sign-in-policy").json(policy).send());
    users.waiting(2).await;
    held.commit().await.unwrap();
    let tokens = login.await.unwrap().expect(200).json();
    put.await.unwrap().expect(200);
    assert!(claims(&tokens).scope.is_none(), "the sign-in was first");
    let untouched: i64 = sqlx::query_scalar("select count(*) from users.session where tokens_from is null")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    assert_eq!(untouched, 0, "and its token counts no more");
    assert_eq!(users.event_types().await, ["session.started", "organization.sign_in_policy_changed"]);
}

#[tokio::test]
async fn redeeming_a_link_and_taking_it_back_do_not_wait_for_each_other() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let body = json!({"email": "new@example.com", "current_password": PASSWORD});
    users.by(&admin, "POST", "/api/v1/me/email").json(body).send().await.expect(204);
    let events = users.events().await;
    let letter = users.write(&events[0].data["letter_id"]).send().await.expect(200).json();
    // Whoever takes letters back has locked the account, and then wants the letter.
    let mut owner = users.owner().await;
    let mut taking = owner.begin().await.unwrap();
    sqlx::query(LOCK).execute(&mut *taking).await.unwrap();
    let confirm = users.call("POST", "/api/v1/auth/confirm-email").json(json!({"token": letter["token"]}));
    let confirm = tokio::spawn(confirm.send());
    users.waiting(1).await;
    sqlx::query("delete from users.letter").execute(&mut *taking).await.unwrap();
    taking.commit().await.unwrap();
    confirm.await.unwrap().problem(422, "invalid_link");
}
