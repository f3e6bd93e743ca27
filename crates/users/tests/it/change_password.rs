//! `POST /api/v1/me/password`.

use serde_json::json;
use testkit::Call;

use crate::{PASSWORD, SignedIn, Users};

const NEW: &str = "staple battery horse correct";

fn change(users: &Users, who: &SignedIn, current: &str, new: &str) -> Call {
    let body = json!({"current_password": current, "new_password": new});
    users.by(who, "POST", "/api/v1/me/password").json(body)
}

#[tokio::test]
async fn the_other_sessions_end_and_the_old_password_is_worth_nothing() {
    let users = Users::start().await;
    let (here, there) = (users.admin().await, users.admin().await);
    change(&users, &here, PASSWORD, NEW).send().await.expect(204);
    let events = users.events().await;
    assert_eq!(events[0].data["fields"], json!(["password"]));
    assert_eq!((events.len(), &events[1].data["reason"]), (2, &json!("password_changed")));
    users.refresh(&there.refresh).send().await.problem(401, "invalid_refresh_token");
    users.refresh(&here.refresh).send().await.expect(200);
    users.login("default", "admin@example.com", PASSWORD).send().await.problem(401, "invalid_credentials");
    users.sign_in_at("default", "admin@example.com", NEW).await;
}

#[tokio::test]
async fn without_the_current_one_or_with_a_weak_one_it_stays() {
    let users = Users::start().await;
    let admin = users.admin().await;
    change(&users, &admin, NEW, NEW).send().await.problem(403, "wrong_password");
    for (new, code) in [("too short", "password_too_short"), ("admin@example.com!", "password_guessable")] {
        let problem = change(&users, &admin, PASSWORD, new).send().await.problem(422, "invalid_input");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/new_password"), &json!(code))
        );
    }
    users.admin().await;
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let calls: Vec<_> = (0..4)
        .map(|number| tokio::spawn(change(&users, &admin, PASSWORD, &format!("{NEW} {number}")).send()))
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 403, 403, 403]);
    assert_eq!(users.event_types().await, ["user.changed"]);
}
