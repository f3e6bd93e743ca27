//! `DELETE /api/v1/me`, and that nothing of the person is left in any table.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::json;
use testkit::Call;

use crate::{PASSWORD, SignedIn, Users, user};

fn delete(users: &Users, by: &SignedIn, version: &str) -> Call {
    users.by(by, "DELETE", "/api/v1/me").header("if-match", version)
}

#[tokio::test]
async fn who_leaves_takes_all_along_and_leaves_an_id() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let profile = json!({"phone": "+436641234567", "picture_url": "https://example.edu/ada.png",
                         "preferences": {"theme": "dark-of-ada"}});
    users.by(&ada, "PATCH", "/api/v1/me").header("if-match", "*").json(profile).send().await.expect(200);
    let key = json!({"name": "Lovelace's script", "scopes": ["profile.own"], "days": 3});
    users.by(&ada, "POST", "/api/v1/api-keys").json(key).send().await.expect(201);
    users.by(&ada, "POST", "/api/v1/me/second-factor/totp").send().await.expect(200);
    let email = json!({"email": "ada@other.example", "current_password": PASSWORD});
    users.by(&ada, "POST", "/api/v1/me/email").json(email).send().await.expect(204);
    users.events().await;
    users.by(&ada, "DELETE", "/api/v1/me").send().await.problem(428, "if_match_required");
    delete(&users, &ada, "\"1\"").send().await.problem(412, "stale_version");
    delete(&users, &ada, "*").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
    let left = users.everything().await.to_lowercase();
    for word in ["ada@", "lovelace", "436641234567", "ada.png", "dark-of-ada"] {
        assert!(!left.contains(word), "{word} is left");
    }
    // The id stays where others name it, and in what is over.
    let statement = "select table_name::text from information_schema.columns
                     where table_schema = 'users' and column_name = 'user_id' order by 1";
    let tables: Vec<String> =
        sqlx::query_scalar(statement).fetch_all(&mut users.owner().await).await.unwrap();
    for table in tables.iter().filter(|table| !["session", "api_key"].contains(&table.as_str())) {
        let statement = format!("select count(*) from users.{table} where user_id::text = $1");
        let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(statement)).bind(&ada.id);
        assert_eq!(query.fetch_one(&mut users.owner().await).await.unwrap(), 0, "{table}");
    }
    users.by(&admin, "GET", &user(&ada.id)).send().await.problem(404, "not_found");
    users.refresh(&ada.refresh).send().await.problem(401, "invalid_refresh_token");
    users.login("default", "ada@example.com", PASSWORD).send().await.problem(401, "invalid_credentials");
    // Sent again, it is over.
    delete(&users, &ada, "*").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn neither_an_old_sign_in_nor_the_last_administrator_may() {
    let users = Users::start().await;
    let admin = users.admin().await;
    delete(&users, &admin, "*").send().await.problem(409, "last_administrator");
    users.clock.advance(SignedDuration::from_mins(11));
    delete(&users, &admin, "*").send().await.problem(403, "step_up_required");
    users.call("DELETE", "/api/v1/me").send().await.problem(401, "token_required");
    assert_eq!(users.event_types().await, [""; 0]);
}
