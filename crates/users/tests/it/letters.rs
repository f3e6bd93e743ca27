//! Verification of addresses, and invitations: links that work once, for a while, and for one thing.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};

use crate::{PASSWORD, SignedIn, Users, user};

impl Users {
    /// The letter that was asked for since the events were asserted last, as the notification service gets it, after
    /// the other events.
    pub(crate) async fn letter(&self, others: &[&str]) -> Value {
        let events = self.events().await;
        let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        let told: Vec<_> = others.iter().map(|kind| format!("reservas.{kind}.v1")).collect();
        let position = kinds.iter().position(|kind| *kind == "reservas.letter.requested.v1").unwrap();
        assert_eq!([&kinds[..position], &kinds[position + 1..]].concat(), told);
        let text = events.iter().map(|event| event.data.to_string()).collect::<String>();
        assert!(!text.contains("example.com") && !text.contains("Ada"), "personal data stays out of events");
        self.write(&events[position].data["letter_id"]).send().await.expect(200).json()
    }

    pub(crate) fn write(&self, letter: &Value) -> testkit::Call {
        let (organization, letter) = (self.first.organization_id, letter.as_str().unwrap());
        self.call_internally(
            "POST",
            &format!("/internal/organizations/{organization}/letters/{letter}/write"),
        )
    }

    async fn register_ada(&self) {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
        self.call("POST", "/api/v1/auth/register").json(body).send().await.expect(201);
    }

    fn verify(&self, token: &Value) -> testkit::Call {
        self.call("POST", "/api/v1/auth/verify-email").json(json!({"token": token}))
    }

    fn resend(&self, email: &str) -> testkit::Call {
        self.call("POST", "/api/v1/auth/resend-verification").json(json!({"email": email}))
    }

    async fn invite(&self, admin: &SignedIn, body: Value) -> Value {
        self.by(admin, "POST", "/api/v1/invitations").json(body).send().await.expect(201).json()
    }

    fn accept(&self, token: &Value, password: &str) -> testkit::Call {
        self.call("POST", "/api/v1/auth/accept-invitation")
            .json(json!({"token": token, "password": password}))
    }

    /// Every row of every table, as text.
    pub(crate) async fn everything(&self) -> String {
        let statement = "select coalesce(string_agg(query_to_xml(format('select * from users.%I', relname), true, true, '')::text, ''), '')
                         from pg_class where relnamespace = 'users'::regnamespace and relkind = 'r'";
        sqlx::query_scalar(statement).fetch_one(&mut self.owner().await).await.unwrap()
    }
}

fn bob() -> Value {
    json!({"email": "bob@example.com", "name": "Bob", "role": "manager"})
}

#[tokio::test]
async fn an_address_is_verified_by_its_link_once() {
    let users = Users::start().await;
    users.register_ada().await;
    let letter = users.letter(&["user.created"]).await;
    assert_eq!(
        (&letter["kind"], &letter["email"]),
        (&json!("email_verification"), &json!("ada@example.com"))
    );
    assert!(!users.everything().await.contains(letter["token"].as_str().unwrap()), "only its hash is kept");
    // Unverified people may sign in where nobody demands more.
    let ada = users.sign_in("ada@example.com").await;
    let me = async || {
        users.by(&ada, "GET", "/api/v1/me").send().await.expect(200).json()["email_verified"].clone()
    };
    assert_eq!(me().await, false);
    users.verify(&letter["token"]).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed"]);
    assert_eq!(me().await, true);
    users.verify(&letter["token"]).send().await.problem(422, "invalid_link");
    for text in ["x", "", &"A".repeat(86)] {
        let reply = users.verify(&json!(text)).send().await.expect(422).json();
        assert!(["invalid_link", "invalid_input"].contains(&reply["code"].as_str().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn where_it_is_demanded_nobody_signs_in_before() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.set(&admin, json!({"verification": "demanded"})).await;
    users.register_ada().await;
    let letter = users.letter(&["user.created"]).await;
    // As if there were none: who registers to see whether an address is taken sees nothing here either.
    let login = |password: &str| users.login("default", "ada@example.com", password);
    login(PASSWORD).send().await.problem(401, "invalid_credentials");
    login("another password of words").send().await.problem(401, "invalid_credentials");
    assert_eq!(users.event_types().await, [""; 0], "a link was mailed a moment ago");
    users.clock.advance(SignedDuration::from_mins(6));
    login("another password of words").send().await.problem(401, "invalid_credentials");
    login(PASSWORD).send().await.problem(401, "invalid_credentials");
    let again = crate::throttle::told(&users).await;
    assert_eq!(
        (again.kind.as_str(), &again.data["kind"]),
        ("reservas.letter.requested.v1", &json!("email_verification"))
    );
    for _ in 0..2 {
        login(PASSWORD).send().await.problem(401, "invalid_credentials");
    }
    login(PASSWORD).send().await.problem(429, "too_many_attempts");
    users.verify(&letter["token"]).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed"]);
    // And who tried in vain need not wait.
    users.sign_in("ada@example.com").await;
    // Those whom an administrator made need not.
    users.someone(&admin, "u@example.com", Role::User).await;
}

#[tokio::test]
async fn another_mail_is_sent_to_who_waits_and_no_more_often_than_that() {
    let users = Users::start().await;
    users.register_ada().await;
    let first = users.letter(&["user.created"]).await;
    for email in ["ada@example.com", "admin@example.com", "nobody@example.com"] {
        users.resend(email).send().await.expect(204);
    }
    // One went out a moment ago, or there is nothing to verify: of all these, one letter comes in the end.
    users.clock.advance(SignedDuration::from_mins(6));
    users.resend("ada@example.com").send().await.expect(204);
    users.written("reservas.letter.requested.v1", 2).await;
    let second = users.letter(&[]).await;
    users.clock.advance(SignedDuration::from_hours(48));
    users.verify(&second["token"]).send().await.problem(422, "invalid_link");
    users.verify(&first["token"]).send().await.problem(422, "invalid_link");
}

#[tokio::test]
async fn a_letter_written_again_has_another_link_and_one_without_use_is_not_written() {
    let users = Users::start().await;
    users.register_ada().await;
    let events = users.events().await;
    let id = &events[1].data["letter_id"];
    let first = users.write(id).send().await.expect(200).json();
    let second = users.write(id).send().await.expect(200).json();
    users.verify(&first["token"]).send().await.problem(422, "invalid_link");
    users.verify(&second["token"]).send().await.expect(204);
    assert_eq!(users.event_types().await, ["user.changed"]);
    users.write(id).send().await.problem(404, "not_found");
    let (organization, id) = (users.first.organization_id, id.as_str().unwrap());
    let path = format!("/internal/organizations/{organization}/letters/{id}/write");
    users.call("POST", &path).send().await.problem(401, "internal_token_required");
}

#[tokio::test]
async fn who_registers_with_an_address_that_is_taken_learns_nothing_and_its_owner_does() {
    let users = Users::start().await;
    let body = |email: &str| json!({"email": email, "password": PASSWORD, "name": "Ada"});
    let register = async |email: &str| {
        let reply = users.call("POST", "/api/v1/auth/register").json(body(email)).send().await.expect(201);
        let (mut json, location) = (reply.json(), reply.header("location").to_owned());
        assert_eq!(location, user(json["id"].as_str().unwrap()));
        json["id"] = Value::Null;
        (json, reply.header("etag").to_owned(), reply.headers.len())
    };
    let (mut fresh, tag, headers) = register("ada@example.com").await;
    assert_eq!(users.event_types().await, ["user.created", "letter.requested"]);
    let (taken, same_tag, same_headers) = register("admin@example.com").await;
    fresh["email"] = taken["email"].clone();
    assert_eq!((fresh, tag, headers), (taken, same_tag, same_headers));
    let letter = users.letter(&[]).await;
    assert_eq!((&letter["kind"], &letter["token"]), (&json!("registration_repeated"), &Value::Null));
    assert_eq!(letter["name"], "Administrator");
    // Nobody's password has changed, and nobody is flooded.
    users.admin().await;
    register("admin@example.com").await;
    assert_eq!(users.event_types().await, [""; 0]);
}

#[tokio::test]
async fn who_is_invited_makes_the_account_that_was_meant() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let group = users.by(&admin, "POST", "/api/v1/groups").json(json!({"name": "Lab"}));
    let group = group.send().await.expect(201).json()["id"].clone();
    assert_eq!(users.event_types().await, ["group.changed"]);
    let mut body = bob();
    body["groups"] = json!([group]);
    let made = users.invite(&admin, body).await;
    let letter = users.letter(&["invitation.created"]).await;
    assert_eq!((&letter["kind"], &letter["email"]), (&json!("invitation"), &json!("bob@example.com")));
    let list = users.by(&admin, "GET", "/api/v1/invitations").send().await.expect(200).json();
    assert_eq!(list["items"], json!([made]));
    let weak = users.accept(&letter["token"], "too short").send().await.problem(422, "invalid_input");
    assert_eq!(weak["errors"][0]["pointer"], "/password");
    // A link for one thing opens no other.
    users.verify(&letter["token"]).send().await.problem(422, "invalid_link");
    let account = users.accept(&letter["token"], PASSWORD).send().await.expect(201).json();
    let said = (&account["role"], &account["groups"], &account["email_verified"], &account["version"]);
    assert_eq!(said, (&json!("manager"), &json!([group]), &json!(true), &json!(1)));
    assert_eq!(users.event_types().await, ["user.created", "invitation.ended"]);
    users.sign_in("bob@example.com").await;
    users.accept(&letter["token"], PASSWORD).send().await.problem(422, "invalid_link");
    let list = users.by(&admin, "GET", "/api/v1/invitations").send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
    let again = users.by(&admin, "POST", "/api/v1/invitations").json(bob());
    again.send().await.problem(409, "email_taken");
}

#[tokio::test]
async fn what_an_administrator_gave_out_ends_with_their_rights() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let eve = users.someone(&admin, "eve@example.com", Role::Admin).await;
    users.invite(&eve, bob()).await;
    let letter = users.letter(&["invitation.created"]).await;
    let before = users.by(&admin, "GET", &user(&eve.id)).send().await.expect(200);
    let demote = users.by(&admin, "PATCH", &user(&eve.id)).json(json!({"role": "manager"}));
    demote.header("if-match", before.header("etag")).send().await.expect(200);
    assert_eq!(users.event_types().await, ["user.changed"]);
    users.accept(&letter["token"], PASSWORD).send().await.problem(422, "invalid_link");
}

#[tokio::test]
async fn an_invitation_that_was_revoked_replaced_or_ran_out_opens_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let first = users.invite(&admin, bob()).await;
    let letter = users.letter(&["invitation.created"]).await;
    let second = users.invite(&admin, bob()).await;
    let later = users.letter(&["invitation.created"]).await;
    users.accept(&letter["token"], PASSWORD).send().await.problem(422, "invalid_link");
    let path = |made: &Value| format!("/api/v1/invitations/{}", made["id"].as_str().unwrap());
    users.by(&admin, "DELETE", &path(&first)).send().await.problem(404, "not_found");
    users.by(&admin, "DELETE", &path(&second)).send().await.expect(204);
    assert_eq!(users.event_types().await, ["invitation.ended"]);
    users.accept(&later["token"], PASSWORD).send().await.problem(422, "invalid_link");
    users.invite(&admin, bob()).await;
    let third = users.letter(&["invitation.created"]).await;
    users.clock.advance(SignedDuration::from_hours(7 * 24));
    users.accept(&third["token"], PASSWORD).send().await.problem(422, "invalid_link");
    let unknown = json!({"email": "c@example.com", "name": "C", "role": "user", "groups": [first["id"]]});
    let problem = users.by(&users.admin().await, "POST", "/api/v1/invitations").json(unknown).send().await;
    assert_eq!(problem.problem(422, "invalid_input")["errors"][0]["pointer"], "/groups");
}

#[tokio::test]
async fn invitations_are_for_administrators_of_the_organization() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let made = users.invite(&admin, bob()).await;
    users.letter(&["invitation.created"]).await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let path = format!("/api/v1/invitations/{}", made["id"].as_str().unwrap());
    users.by(&there, "DELETE", &path).send().await.problem(404, "not_found");
    for (method, path) in [("GET", "/api/v1/invitations"), ("POST", "/api/v1/invitations"), ("DELETE", &path)]
    {
        let call = users.by(&manager, method, path).json(bob());
        call.send().await.problem(403, "permission_required");
    }
}
