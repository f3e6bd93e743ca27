//! Groups whose members follow from a rule: kept current by what happens to accounts and to rules.

use std::time::Duration;

use kernel::Role;
use serde_json::{Value, json};

use crate::{PASSWORD, SignedIn, Users, new_user, user};

impl Users {
    pub(crate) async fn group(&self, admin: &SignedIn, name: &str) -> String {
        let made = self.by(admin, "POST", "/api/v1/groups").json(json!({ "name": name })).send().await;
        made.expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    async fn rule(&self, admin: &SignedIn, group: &str, rule: Value) {
        let put = self.by(admin, "PUT", &format!("/api/v1/groups/{group}/rule")).json(rule.clone());
        let answer = put.send().await.expect(202).json();
        assert_eq!((&answer["rule_pending"], &answer["id"]), (&json!(true), &json!(group)));
    }

    /// The group as the list has it, once all accounts were looked at.
    async fn settled(&self, admin: &SignedIn, group: &str) -> Value {
        let settled = async {
            loop {
                let list = self.by(admin, "GET", "/api/v1/groups").send().await.expect(200).json();
                let items = list["items"].as_array().unwrap();
                let found = items.iter().find(|item| item["id"] == group).unwrap();
                if found["rule_pending"] == false {
                    return found.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), settled).await.unwrap()
    }

    async fn groups_of(&self, admin: &SignedIn, id: &str) -> Value {
        self.by(admin, "GET", &user(id)).send().await.expect(200).json()["groups"].clone()
    }

    async fn attributes(&self, admin: &SignedIn, id: &str, attributes: Value) -> Value {
        let call = self.by(admin, "PATCH", &user(id)).header("if-match", "*");
        call.json(json!({ "attributes": attributes })).send().await.expect(200).json()
    }
}

#[tokio::test]
async fn members_follow_from_the_rule_and_others_hear_of_each() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.edu", Role::User).await;
    let group = users.group(&admin, "Students").await;
    users.event_types().await;
    users.rule(&admin, &group, json!({"email_domains": ["example.edu"]})).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 1);
    let events = users.events().await;
    assert_eq!(events[0].data["rule"], json!({"email_domains": ["example.edu"], "attributes": {}}));
    assert_eq!(
        (&events[1].data["user_id"], &events[1].data["after"]["groups"]),
        (&json!(ada.id), &json!([group]))
    );
    assert_eq!(events.len(), 2, "who is not concerned is not told of");
    let me = users.by(&ada, "GET", "/api/v1/me").send().await.expect(200).json();
    assert_eq!((&me["groups"], &me["version"]), (&json!([group]), &json!(2)));
    // Who comes later is in it at once, and the event of the new account says so.
    let eve = users.by(&admin, "POST", "/api/v1/users").json(new_user("eve@example.edu", Role::User));
    assert_eq!(eve.send().await.expect(201).json()["groups"], json!([group]));
    assert_eq!(users.events().await[0].data["account"]["groups"], json!([group]));
    let import = "email,name\nfay@example.edu,Fay\ngus@example.com,Gus\n";
    let import = users.by(&admin, "POST", "/api/v1/users/import").body("text/csv", import);
    import.send().await.expect(200);
    assert_eq!(users.settled(&admin, &group).await["members"], 3);
    // Another rule: those who do not meet it leave.
    users.rule(&admin, &group, json!({"attributes": {"department": ["Physics"]}})).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 0);
    let physicist = users.attributes(&admin, &ada.id, json!({"department": "Physics"})).await;
    assert_eq!(physicist["groups"], json!([group]));
    let told = users.events().await.pop().unwrap();
    assert_eq!(told.data["fields"], json!(["attributes", "groups"]));
    assert_eq!(users.attributes(&admin, &ada.id, json!({})).await["groups"], json!([]));
    users.events().await;
}

#[tokio::test]
async fn members_by_hand_and_by_rule_live_beside_each_other() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let group = users.group(&admin, "Physicists").await;
    let member = format!("/api/v1/groups/{group}/members/{}", ada.id);
    users.by(&admin, "PUT", &member).send().await.expect(204);
    users.rule(&admin, &group, json!({"attributes": {"department": ["Physics"]}})).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 1, "whom a rule does not have stays by hand");
    users.attributes(&admin, &ada.id, json!({"department": "Physics"})).await;
    users.event_types().await;
    users.by(&admin, "DELETE", &member).send().await.expect(204);
    assert_eq!(users.groups_of(&admin, &ada.id).await, json!([group]));
    assert_eq!(users.event_types().await, [""; 0], "nothing that others see changed");
    users.by(&admin, "DELETE", &member).send().await.problem(409, "member_by_rule");
    let path = format!("/api/v1/groups/{group}");
    users.by(&admin, "DELETE", &path).send().await.problem(409, "group_not_empty");
    users.by(&admin, "DELETE", &format!("{path}/rule")).send().await.expect(204);
    assert_eq!(users.settled(&admin, &group).await["members"], 0);
    users.by(&admin, "DELETE", &format!("{path}/rule")).send().await.expect(204);
    users.by(&admin, "DELETE", &path).send().await.expect(204);
    users.by(&admin, "DELETE", &format!("{path}/rule")).send().await.problem(404, "not_found");
    users.events().await;
}

#[tokio::test]
async fn an_address_counts_once_it_is_verified() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let group = users.group(&admin, "Students").await;
    users.rule(&admin, &group, json!({"email_domains": ["example.com"]})).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 1, "the administrator");
    users.event_types().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
    users.call("POST", "/api/v1/auth/register").json(body).send().await.expect(201);
    let letter = users.letter(&["user.created"]).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 1, "anybody can claim an address");
    let verify = users.call("POST", "/api/v1/auth/verify-email").json(json!({"token": letter["token"]}));
    verify.send().await.expect(204);
    assert_eq!(users.settled(&admin, &group).await["members"], 2);
    let told = users.events().await.pop().unwrap();
    assert_eq!(told.data["fields"], json!(["email_verified", "groups"]));
    users.events().await;
}

#[tokio::test]
async fn an_organization_is_swept_whole_in_pieces_and_no_other() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    users
        .by(&there, "POST", "/api/v1/users")
        .json(new_user("u@example.edu", Role::User))
        .send()
        .await
        .expect(201);
    let file: String = std::iter::once("email,name\n".to_owned())
        .chain((0..1200).map(|n| format!("u{n}@example.edu,User {n}\n")))
        .collect();
    users.by(&admin, "POST", "/api/v1/users/import").body("text/csv", file).send().await.expect(200);
    users.event_types().await;
    let group = users.group(&admin, "Students").await;
    let path = format!("/api/v1/groups/{group}/rule");
    let stranger = users.by(&there, "PUT", &path).json(json!({"email_domains": ["example.edu"]}));
    stranger.send().await.problem(404, "not_found");
    users.by(&there, "DELETE", &path).send().await.problem(404, "not_found");
    users.rule(&admin, &group, json!({"email_domains": ["example.edu"]})).await;
    assert_eq!(users.settled(&admin, &group).await["members"], 1200);
    let changed = users.event_types().await;
    assert_eq!(changed.iter().filter(|kind| *kind == "user.changed").count(), 1200);
    let list = users.by(&there, "GET", "/api/v1/users?email=u@example.edu").send().await.expect(200).json();
    assert_eq!(list["items"][0]["groups"], json!([]));
    users.events().await;
}

#[tokio::test]
async fn accounts_that_are_made_while_the_rule_changes_are_not_missed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let group = users.group(&admin, "Students").await;
    let make = |n: usize| {
        let user = new_user(&format!("u{n}@example.edu"), Role::User);
        users.by(&admin, "POST", "/api/v1/users").json(user).send()
    };
    let (first, second) = (futures_util::future::join_all((0..10).map(make)), async {
        users.rule(&admin, &group, json!({"email_domains": ["example.edu"]})).await;
    });
    let (replies, ()) = tokio::join!(first, second);
    replies.into_iter().for_each(|reply| drop(reply.expect(201)));
    assert_eq!(users.settled(&admin, &group).await["members"], 10);
    users.events().await;
}

#[tokio::test]
async fn a_rule_or_an_attribute_that_makes_no_sense_is_refused() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let group = users.group(&admin, "Students").await;
    let path = format!("/api/v1/groups/{group}/rule");
    for rule in [json!({}), json!({"email_domains": ["EDU"]}), json!({"attributes": {"department": []}})] {
        users.by(&admin, "PUT", &path).json(rule).send().await.problem(422, "invalid_input");
    }
    users
        .by(&admin, "PUT", &path)
        .json(json!({"roles": ["admin"]}))
        .send()
        .await
        .problem(422, "invalid_input");
    let patch = |body: Value| users.by(&admin, "PATCH", &user(&admin.id)).header("if-match", "*").json(body);
    patch(json!({"attributes": {"Shoe Size": "38"}})).send().await.problem(422, "invalid_input");
    patch(json!({"attributes": {"shoe_size": ""}})).send().await.problem(422, "invalid_input");
    let me = users.by(&admin, "PATCH", "/api/v1/me").header("if-match", "*");
    me.json(json!({"attributes": {"department": "Physics"}})).send().await.problem(422, "invalid_input");
    users.events().await;
}
