//! `DELETE /api/v1/users/{id}`.

use kernel::Role;
use testkit::Call;

use crate::{SignedIn, Users, user};

fn delete(users: &Users, by: &SignedIn, id: &str, version: &str) -> Call {
    users.by(by, "DELETE", &user(id)).header("if-match", version)
}

#[tokio::test]
async fn nothing_of_the_person_is_left() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    users.by(&admin, "DELETE", &user(&ada.id)).send().await.problem(428, "if_match_required");
    delete(&users, &admin, &ada.id, "\"2\"").send().await.problem(412, "stale_version");
    delete(&users, &admin, &ada.id, "\"1\"").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
    delete(&users, &admin, &ada.id, "*").send().await.problem(404, "not_found");
    users.by(&admin, "GET", &user(&ada.id)).send().await.problem(404, "not_found");
    users.refresh(&ada.refresh).send().await.problem(401, "invalid_refresh_token");
    for table in ["account", "password", "session", "refresh_token", "event"] {
        let statement = format!("select count(*) from users.{table} t where t::text ~* 'ada@|lovelace'");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_one(&mut users.owner().await)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    // The address is free for someone new.
    assert_ne!(users.someone(&admin, "ada@example.com", Role::User).await.id, ada.id);
}

#[tokio::test]
async fn the_last_administrator_cannot_be_removed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    delete(&users, &admin, &admin.id, "\"1\"").send().await.problem(409, "last_administrator");
    let second = users.someone(&admin, "b@example.com", Role::Admin).await;
    let calls = [(&admin, &second), (&second, &admin)]
        .map(|(by, whom)| tokio::spawn(delete(&users, by, &whom.id, "*").send()));
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
}
