//! `PATCH /api/v1/users/{id}`.

use kernel::Role;
use serde_json::{Value, json};
use testkit::Call;

use crate::{SignedIn, Users, user};

fn patch(users: &Users, by: &SignedIn, id: &str, version: &str, body: Value) -> Call {
    users.by(by, "PATCH", &user(id)).header("if-match", version).json(body)
}

#[tokio::test]
async fn a_change_is_told_without_the_person() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let body = json!({"name": "Ada King", "time_zone": "Europe/London", "role": "manager"});
    let reply = patch(&users, &admin, &ada.id, "\"1\"", body).send().await.expect(200);
    let after = reply.json();
    assert_eq!(
        (&after["name"], &after["role"], &after["version"]),
        (&json!("Ada King"), &json!("manager"), &json!(2))
    );
    assert_eq!(reply.header("etag"), "\"2\"");
    let data = users.events().await.remove(0).data;
    assert_eq!(data["fields"], json!(["name", "time_zone", "role"]));
    assert_eq!((&data["before"]["role"], &data["after"]["role"]), (&json!("user"), &json!("manager")));
    assert!(!data.to_string().contains("King"));
    let same = patch(&users, &admin, &ada.id, "\"2\"", json!({"name": "Ada King"})).send().await.expect(200);
    assert_eq!(same.header("etag"), "\"2\"", "no change, no version, no event");
}

#[tokio::test]
async fn a_change_names_the_version_it_was_made_for() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let body = json!({"name": "Boss"});
    let call = users.by(&admin, "PATCH", &user(&admin.id)).json(&body);
    call.send().await.problem(428, "if_match_required");
    let _ =
        patch(&users, &admin, &admin.id, "\"7\"", body.clone()).send().await.problem(412, "stale_version");
    patch(&users, &admin, &admin.id, "\"1\"", body).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.changed"]);
    let problem = patch(&users, &admin, &admin.id, "*", json!({"email": "b@example.com"})).send().await;
    assert_eq!(problem.problem(422, "invalid_input")["errors"][0]["code"], "unknown_field");
}

#[tokio::test]
async fn a_deactivated_account_is_out() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    patch(&users, &admin, &ada.id, "\"1\"", json!({"active": false})).send().await.expect(200);
    let events = users.events().await;
    assert_eq!((events.len(), &events[1].data["reason"]), (2, &json!("account_closed")));
    users.refresh(&ada.refresh).send().await.problem(401, "invalid_refresh_token");
    patch(&users, &admin, &ada.id, "\"2\"", json!({"active": true})).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.changed"]);
    users.sign_in("ada@example.com").await;
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let users = Users::start().await;
    // Another organization's administrator is no help.
    users.organization("other").await;
    let admin = users.admin().await;
    for body in [json!({"role": "manager"}), json!({"active": false})] {
        let _ =
            patch(&users, &admin, &admin.id, "\"1\"", body).send().await.problem(409, "last_administrator");
    }
    let second = users.someone(&admin, "b@example.com", Role::Admin).await;
    patch(&users, &admin, &second.id, "\"1\"", json!({"active": false})).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.changed", "session.ended"]);
    // Neither is one who may not sign in.
    let demote = patch(&users, &admin, &admin.id, "\"1\"", json!({"role": "user"}));
    demote.send().await.problem(409, "last_administrator");
}

#[tokio::test]
async fn of_administrators_who_demote_each_other_one_remains() {
    let users = Users::start().await;
    let mut admins = vec![users.admin().await];
    for number in 0..3 {
        let email = format!("admin{number}@example.com");
        admins.push(users.someone(&admins[0], &email, Role::Admin).await);
    }
    let calls: Vec<_> = (0..admins.len())
        .map(|index| {
            let (by, whom) = (&admins[index], &admins[(index + 1) % admins.len()]);
            tokio::spawn(patch(&users, by, &whom.id, "\"1\"", json!({"role": "user"})).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 409]);
    assert_eq!(users.event_types().await, ["user.changed"; 3]);
}
