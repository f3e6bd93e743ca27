//! `GET /api/v1/me`.

use kernel::Role;
use serde_json::json;

use crate::{Users, user};

#[tokio::test]
async fn the_caller_with_roles_permissions_and_organization() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let reply = users.by(&ada, "GET", "/api/v1/me").send().await.expect(200);
    let me = reply.json();
    assert_eq!(
        (&me["email"], &me["role"], &me["roles"]),
        (&json!("ada@example.com"), &json!("user"), &json!(["user"]))
    );
    assert_eq!(me["permissions"], json!(Role::User.permissions()));
    assert_eq!(
        (&me["organization"]["slug"], &me["organization"]["name"]),
        (&json!("default"), &json!("Default"))
    );
    assert_eq!((&me["locale"], &me["time_zone"]), (&json!("en"), &json!("UTC")));
    users
        .by(&ada, "GET", "/api/v1/me")
        .header("if-none-match", reply.header("etag"))
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn nobody_and_the_removed_get_nothing() {
    let users = Users::start().await;
    users.call("GET", "/api/v1/me").send().await.problem(401, "token_required");
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    users.by(&admin, "DELETE", &user(&ada.id)).header("if-match", "\"1\"").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed", "session.ended"]);
    users.by(&ada, "GET", "/api/v1/me").send().await.problem(404, "not_found");
}
