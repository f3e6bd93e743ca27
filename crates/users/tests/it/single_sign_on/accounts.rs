//! Whose account it is, and which role and groups it has from then on.

use kernel::Role;
use serde_json::{Value, json};

use super::{CLIENT_ADDRESS, NEW, World, people};
use crate::identity_provider::{Browser, parameter};
use crate::single_sign_on::client::{VERIFIER, start};
use crate::{PASSWORD, SignedIn, user};

impl World {
    async fn account(&self, id: &str) -> Value {
        self.users.by(&self.admin, "GET", &user(id)).send().await.expect(200).json()
    }

    async fn group(&self, name: &str) -> String {
        let call = self.users.by(&self.admin, "POST", "/api/v1/groups").json(json!({"name": name}));
        let id = call.send().await.expect(201).json()["id"].as_str().unwrap().to_owned();
        assert_eq!(self.users.event_types().await, ["group.changed"]);
        id
    }

    async fn change(&self, id: &str, change: Value) {
        let call = self.users.by(&self.admin, "PATCH", &user(id)).header("if-match", "*").json(change);
        call.send().await.expect(200);
        self.users.event_types().await;
    }
}

#[tokio::test]
async fn only_whom_the_provider_vouches_for_gets_an_account() {
    let world = World::start(json!({})).await;
    world.sign_in("login=9").await.problem(403, "identity_email_unverified");
    world.sign_in("login=10").await.problem(403, "identity_email_unverified");
    world.sign_in("login=11").await.problem(403, "no_account");
    world.sign_in("login=12").await.problem(403, "no_account");
    // Said of all that it does not speak of; never against its own word.
    world.set(json!({"assume_email_verified": true})).await;
    world.signed_in("login=10", &NEW).await;
    world.sign_in("login=9").await.problem(403, "identity_email_unverified");
    world.set(json!({"create_accounts": false})).await;
    world.sign_in("login=7").await.problem(403, "no_account");
    world.set(json!({"email_domains": []})).await;
    world.signed_in("login=11", &NEW).await;
}

#[tokio::test]
async fn an_account_is_linked_by_its_address_only_where_nobody_could_lie() {
    let world = World::start(json!({})).await;
    let (users, admin) = (&world.users, &world.admin);
    // Made by an administrator, and of the organization's own domain.
    let bob = users.someone(admin, "bob@example.edu", Role::Manager).await;
    let linked = ["user.identity_linked", "session.started"];
    let (me, _) = world.signed_in("login=8", &linked).await;
    assert_eq!((&me["id"], &me["role"]), (&json!(bob.id), &json!("manager")));
    // Of an address that nobody verified: whoever registered it may lie in wait for its owner.
    let registered = json!({"email": "ada@example.edu", "password": PASSWORD, "name": "Mallory"});
    users.call("POST", "/api/v1/auth/register").json(registered).send().await.expect(201);
    users.event_types().await;
    world.sign_in("login=7").await.problem(409, "identity_not_linked");
    // Of another domain, the provider's word counts for nothing.
    users.someone(admin, "zoe@elsewhere.example", Role::User).await;
    world.sign_in("login=11").await.problem(409, "identity_not_linked");
    world.set(json!({"email_domains": []})).await;
    world.sign_in("login=11").await.problem(409, "identity_not_linked");
    assert_eq!(users.event_types().await, [""; 0]);
}

#[tokio::test]
async fn an_administrators_account_is_linked_by_its_owner_alone() {
    let mut all = people();
    all["1"] = json!({"email": "admin@example.com", "email_verified": true});
    let domains = json!({"email_domains": ["example.com", "example.edu"]});
    let world = World::start_with(all, true, "RS256", domains).await;
    let (users, admin) = (&world.users, &world.admin);
    world.sign_in("login=1").await.problem(409, "identity_not_linked");
    let ask = json!({"return_to": CLIENT_ADDRESS, "code_challenge": users::single_sign_on::browser::challenge(VERIFIER)});
    let link = async |who: &SignedIn| {
        let call = users.by(who, "POST", "/api/v1/me/single-sign-on/link").json(&ask);
        call.send().await.expect(200).json()["start_url"].as_str().unwrap().to_owned()
    };
    let start = link(admin).await;
    let reply = Browser::default().go(users, &start, "login=1").await.expect(302);
    let code = parameter(reply.header("location"), "code").unwrap();
    // The browser alone links nothing: it may be somebody's who was lured.
    world.sign_in("login=1").await.problem(409, "identity_not_linked");
    world.redeem(&code, VERIFIER).await.expect(204);
    assert_eq!(users.event_types().await, ["user.identity_linked"]);
    users.call("GET", &start).send().await.problem(401, "invalid_sign_on");
    let (me, _) = world.signed_in("login=1", &["session.started"]).await;
    assert_eq!(me["id"], json!(admin.id));
    // Who is linked is linked once.
    let (_, ada) = world.signed_in("login=7", &NEW).await;
    let reply = Browser::default().go(users, &link(&ada).await, "login=1").await.expect(302);
    assert_eq!(parameter(reply.header("location"), "problem").as_deref(), Some("other_identity"));
    // Until it is taken away.
    let unlink = format!("{}/single-sign-on", user(&admin.id));
    users.by(admin, "DELETE", &unlink).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.identity_unlinked"]);
    users.by(admin, "DELETE", &unlink).send().await.expect(204);
    world.sign_in("login=1").await.problem(409, "identity_not_linked");
    users.by(&ada, "DELETE", &unlink).send().await.problem(403, "permission_required");
}

#[tokio::test]
async fn a_closed_account_stays_out_and_a_removed_one_is_forgotten() {
    let world = World::start(json!({})).await;
    let (users, admin) = (&world.users, &world.admin);
    let (_, ada) = world.signed_in("login=7", &NEW).await;
    let reply = Browser::default().go(users, &start(CLIENT_ADDRESS, ""), "login=7").await.expect(302);
    let code = parameter(reply.header("location"), "code").unwrap();
    world.change(&ada.id, json!({"active": false})).await;
    world.sign_in("login=7").await.problem(403, "account_inactive");
    world.redeem(&code, VERIFIER).await.problem(403, "account_inactive");
    users.by(admin, "DELETE", &user(&ada.id)).header("if-match", "*").send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.removed"]);
    let (me, _) = world.signed_in("login=7", &NEW).await;
    assert_ne!(me["id"], json!(ada.id));
    users.operator("POST", "/default/disable").send().await.expect(204);
    users.event_types().await;
    users.call("GET", super::START).send().await.problem(404, "no_single_sign_on");
}

#[tokio::test]
async fn role_and_groups_follow_the_provider_at_each_sign_in() {
    let world = World::start(json!({})).await;
    let (desk, staff, own) =
        (world.group("Desk").await, world.group("Staff").await, world.group("Own").await);
    let groups = json!({"desk": desk, "staff": staff, "others": own});
    world.set(json!({"roles": {"desk": "manager"}, "groups": groups})).await;
    let changed = ["user.created", "user.identity_linked", "user.changed", "user.changed", "session.started"];
    let (me, ada) = world.signed_in("login=7", &changed).await;
    assert_eq!(me["role"], "manager", "the group that nobody here has heard of gives nothing");
    assert_eq!(world.account(&ada.id).await["groups"].as_array().unwrap().len(), 2);
    world.signed_in("login=7", &["session.started"]).await;
    // Another meaning of the same groups; one that was given by hand stays.
    let member = format!("/api/v1/groups/{own}/members/{}", ada.id);
    world.users.by(&world.admin, "PUT", &member).send().await.expect(204);
    world.users.event_types().await;
    world.set(json!({"roles": {"it": "manager"}, "groups": {"other": desk}})).await;
    let changed = ["user.changed", "user.changed", "session.started"];
    let (me, _) = world.signed_in("login=7", &changed).await;
    assert_eq!(me["role"], "user");
    let mut left: Vec<String> =
        serde_json::from_value(world.account(&ada.id).await["groups"].clone()).unwrap();
    let mut expected = vec![staff, own];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    // A token of before the change counts no more.
    let refreshed = world.users.refresh(&ada.refresh).send().await.expect(200).json();
    let call = world.users.call("GET", "/api/v1/users").bearer(refreshed["access_token"].as_str().unwrap());
    call.send().await.problem(403, "permission_required");
    // Without a mapping roles are given by hand.
    world.change(&ada.id, json!({"role": "manager"})).await;
    world.set(json!({})).await;
    let (me, _) = world.signed_in("login=7", &["session.started"]).await;
    assert_eq!(me["role"], "manager");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let world = World::start(json!({"roles": {"desk": "admin"}})).await;
    let made = ["user.created", "user.identity_linked", "user.changed", "session.started"];
    let (me, ada) = world.signed_in("login=7", &made).await;
    assert_eq!(me["role"], "admin");
    world.set(json!({"roles": {"it": "admin"}})).await;
    world.change(&world.admin.id, json!({"role": "user"})).await;
    let (me, _) = world.signed_in("login=7", &["session.started"]).await;
    assert_eq!(me["role"], "admin", "nobody else could administer the organization");
    let call = world.users.by(&ada, "PATCH", &user(&world.admin.id)).header("if-match", "*");
    call.json(json!({"role": "admin"})).send().await.expect(200);
    world.users.event_types().await;
    let (me, _) = world.signed_in("login=7", &["user.changed", "session.started"]).await;
    assert_eq!(me["role"], "user");
}

#[tokio::test]
async fn of_two_first_sign_ins_at_once_one_makes_the_account() {
    let world = World::start(json!({})).await;
    let (one, other) = tokio::join!(world.sign_in("login=7"), world.sign_in("login=7"));
    one.expect(200);
    other.expect(200);
    let mut events = world.users.event_types().await;
    events.sort();
    assert_eq!(events, ["session.started", "session.started", "user.created", "user.identity_linked"]);
}
