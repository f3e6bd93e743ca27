//! Who may call what: nobody without a token, not with too small a role, and nobody what is another organization's.

use kernel::Role;
use serde_json::json;
use testkit::Call;

use crate::{PASSWORD, Users, new_user, user};

/// Operations on accounts, with the least role that may.
const TABLE: [(&str, bool, Role); 5] = [
    ("GET", false, Role::Manager),
    ("POST", false, Role::Admin),
    ("GET", true, Role::Manager),
    ("PATCH", true, Role::Admin),
    ("DELETE", true, Role::Admin),
];

fn filled(call: Call, method: &str) -> Call {
    match method {
        "POST" => call.json(new_user("new@example.com", Role::User)),
        "PATCH" => call.header("if-match", "*").json(json!({"name": "Someone"})),
        "DELETE" => call.header("if-match", "*"),
        _ => call,
    }
}

#[tokio::test]
async fn anonymous_and_lesser_roles_are_refused() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let person = users.someone(&admin, "u@example.com", Role::User).await;
    for (method, one, least) in TABLE {
        let path = if one { user(&admin.id) } else { "/api/v1/users".to_owned() };
        let anonymous = filled(users.call(method, &path), method);
        anonymous.send().await.problem(401, "token_required");
        for (caller, role) in [(&person, Role::User), (&manager, Role::Manager)] {
            if role < least {
                let call = filled(users.by(caller, method, &path), method);
                call.send().await.problem(403, "permission_required");
            }
        }
    }
}

#[tokio::test]
async fn what_is_another_organizations_is_not_there() {
    let users = Users::start().await;
    users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let path = user(&users.first.user_id.to_string());
    for method in ["GET", "PATCH", "DELETE"] {
        let call = filled(users.by(&there, method, &path), method);
        call.send().await.problem(404, "not_found");
    }
    users.by(&there, "GET", &user("no-uuid")).send().await.problem(404, "not_found");
}
