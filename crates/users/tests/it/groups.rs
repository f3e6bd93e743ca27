//! Groups and who is in them.

use kernel::Role;
use serde_json::json;

use crate::Users;

#[tokio::test]
async fn members_come_and_go_and_others_hear_of_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let create = |name: &str| users.by(&admin, "POST", "/api/v1/groups").json(json!({ "name": name }));
    let group = create("Cardiology").send().await.expect(201).json();
    create("cardiology").send().await.problem(409, "name_taken");
    create("   ").send().await.problem(422, "invalid_input");
    users
        .by(&ada, "POST", "/api/v1/groups")
        .json(json!({ "name": "Mine" }))
        .send()
        .await
        .problem(403, "permission_required");
    let id = group["id"].as_str().unwrap();
    let member = format!("/api/v1/groups/{id}/members/{}", ada.id);
    users.by(&admin, "PUT", &member).send().await.expect(204);
    users.by(&admin, "PUT", &member).send().await.expect(204);
    let me = users.by(&ada, "GET", "/api/v1/me").send().await.expect(200).json();
    assert_eq!((&me["groups"], &me["version"]), (&json!([id]), &json!(2)));
    let list = users.by(&admin, "GET", "/api/v1/groups").send().await.expect(200).json();
    assert_eq!(list["items"][0]["members"], 1);
    let path = format!("/api/v1/groups/{id}");
    users.by(&admin, "DELETE", &path).send().await.problem(409, "group_not_empty");
    users.by(&admin, "DELETE", &member).send().await.expect(204);
    users.by(&admin, "DELETE", &member).send().await.problem(404, "not_found");
    users.by(&admin, "DELETE", &path).send().await.expect(204);
    users.by(&admin, "PUT", &member).send().await.problem(404, "not_found");
    let events = users.events().await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "reservas.group.changed.v1",
            "reservas.user.changed.v1",
            "reservas.user.changed.v1",
            "reservas.group.changed.v1"
        ]
    );
    assert_eq!(
        (&events[1].data["after"]["groups"], &events[1].data["fields"]),
        (&json!([id]), &json!(["groups"]))
    );
    assert_eq!(events[2].data["after"]["groups"], json!([]));
}
