//! SCIM 2.0, with the requests that Entra ID and Okta send.

use kernel::Role;
use serde_json::{Value, json};
use testkit::{Call, Reply};

use crate::{PASSWORD, SignedIn, Users, user};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A provider with its key.
struct Provider<'a> {
    users: &'a Users,
    token: String,
}

impl<'a> Provider<'a> {
    async fn of(users: &'a Users, admin: &SignedIn, scopes: Value) -> Self {
        let body = json!({"name": "Provider", "scopes": scopes});
        let key = users.by(admin, "POST", "/api/v1/api-keys").json(body).send().await.expect(201).json();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        users.event_types().await;
        Self { users, token: format!("{}.{}", text("client_id"), text("client_secret")) }
    }

    async fn start(users: &'a Users, admin: &SignedIn) -> Self {
        Self::of(users, admin, json!(["users.manage", "groups.manage"])).await
    }

    fn call(&self, method: &str, path: &str) -> Call {
        self.users.call(method, &format!("/scim/v2{path}")).bearer(&self.token)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(method, path).body("application/scim+json; charset=utf-8", body.to_string()).send().await
    }

    async fn create(&self, path: &str, body: Value) -> Value {
        let reply = self.send("POST", path, body).await.expect(201);
        assert_eq!(reply.header("content-type"), "application/scim+json");
        let made = reply.json();
        assert_eq!(made["meta"]["location"].as_str().unwrap(), reply.header("location"));
        made
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", path).send().await.expect(200).json()
    }

    async fn patch(&self, path: &str, operations: Value) -> Reply {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.send("PATCH", path, json!({"schemas": schemas, "Operations": operations})).await
    }
}

/// The answer is a refusal of SCIM with a status and a word.
fn refused(reply: Reply, status: u16, scim_type: Option<&str>) {
    let reply = reply.expect(status);
    assert_eq!(reply.header("content-type"), "application/scim+json");
    let body = reply.json();
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(
        (&body["status"], body["scimType"].as_str()),
        (&json!(status.to_string()), scim_type),
        "{body}"
    );
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "0a21f0f2", "userName": "Ada.King@corp.example", "active": true, "displayName": "Ada King",
        "emails": [{"primary": true, "type": "work", "value": "ada@example.com"}],
        "meta": {"resourceType": "User"}, "name": {"formatted": "A. K.", "familyName": "King", "givenName": "Ada"},
        "roles": [{"value": "admin"}], "password": "ignored", ENTERPRISE: {"department": "Physics"}
    })
}

#[tokio::test]
async fn entra_provisions_a_person() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let entra = Provider::start(&users, &admin).await;
    let empty = entra.get("/Users?filter=userName+eq+%22Ada.King%40corp.example%22").await;
    assert_eq!((&empty["totalResults"], &empty["Resources"]), (&json!(0), &json!([])));
    let made = entra.create("/Users", ada()).await;
    let (id, path) = (made["id"].as_str().unwrap(), format!("/Users/{}", made["id"].as_str().unwrap()));
    assert_eq!(
        (&made["userName"], &made["externalId"]),
        (&json!("Ada.King@corp.example"), &json!("0a21f0f2"))
    );
    assert_eq!(
        (&made["name"]["givenName"], &made[ENTERPRISE]["department"]),
        (&json!("Ada"), &json!("Physics"))
    );
    assert_eq!(users.event_types().await, ["user.created"]);
    let account = users.by(&admin, "GET", &user(id)).send().await.expect(200).json();
    assert_eq!((&account["role"], &account["email"]), (&json!("user"), &json!("ada@example.com")));
    assert_eq!(account["attributes"]["department"], "Physics");
    refused(entra.send("POST", "/Users", ada()).await, 409, Some("uniqueness"));
    for filter in ["userName eq \"ADA.KING@corp.example\"", "externalId eq \"0a21f0f2\" and active eq true"] {
        let found =
            entra.call("GET", &format!("/Users?filter={}", encoded(filter))).send().await.expect(200).json();
        assert_eq!(
            (&found["totalResults"], &found["Resources"][0]["id"]),
            (&json!(1), &json!(id)),
            "{filter}"
        );
    }
    let operations = json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada.king@example.com"},
        {"op": "Add", "path": format!("{ENTERPRISE}:costCenter"), "value": "42"},
        {"op": "Replace", "path": "displayName", "value": "Ada Lovelace"},
        {"op": "Replace", "path": "active", "value": "False"}
    ]);
    let patched = entra.patch(&path, operations.clone()).await.expect(200).json();
    assert_eq!(
        (&patched["active"], &patched["emails"][0]["value"]),
        (&json!(false), &json!("ada.king@example.com"))
    );
    let events = users.events().await;
    let told = events.iter().find(|event| event.kind == "reservas.user.changed.v1").unwrap();
    assert_eq!(told.data["fields"], json!(["name", "attributes", "active", "email"]));
    entra.patch(&path, operations).await.expect(200);
    assert_eq!(users.event_types().await, [""; 0], "the same again changes nothing");
    let narrow = entra.get(&format!("{path}?attributes=id,userName")).await;
    assert_eq!(narrow.as_object().unwrap().len(), 3, "{narrow}");
    users.events().await;
}

#[tokio::test]
async fn okta_replaces_deactivates_and_deletes_a_person_and_brings_them_back() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let okta = Provider::start(&users, &admin).await;
    let person = json!({"schemas": [], "userName": "bob@example.com", "name": {"givenName": "Bob", "familyName": "B"},
                        "emails": [{"primary": true, "value": "bob@example.com", "type": "work"}], "active": true});
    let made = okta.create("/Users", person.clone()).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/Users/{id}");
    let reply = okta.call("GET", &path).send().await.expect(200);
    let etag = reply.header("etag").to_owned();
    assert_eq!((etag.as_str(), &reply.json()["meta"]["version"]), ("W/\"1\"", &json!(etag)));
    okta.call("GET", &path).header("if-none-match", &etag).send().await.expect(304);
    let mut renamed = person.clone();
    renamed["displayName"] = json!("Robert");
    renamed["title"] = json!("Dr");
    let stale = okta.call("PUT", &path).header("if-match", "W/\"0\"");
    refused(stale.body("application/scim+json", renamed.to_string()).send().await, 412, None);
    let put = okta.call("PUT", &path).header("if-match", &etag);
    let put = put.body("application/json", renamed.to_string()).send().await.expect(200).json();
    assert_eq!((&put["displayName"], &put["title"]), (&json!("Robert"), &json!("Dr")));
    okta.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await.expect(200);
    let list = okta.get("/Users?startIndex=2&count=1").await;
    assert_eq!(
        (&list["totalResults"], &list["itemsPerPage"], &list["Resources"][0]["id"]),
        (&json!(2), &json!(1), &json!(id))
    );
    assert_eq!(okta.get("/Users?startIndex=7").await["totalResults"], 2);
    assert_eq!(okta.get("/Users?count=0").await["itemsPerPage"], 0);
    okta.call("DELETE", &path).send().await.expect(204);
    refused(okta.call("GET", &path).send().await, 404, None);
    refused(okta.call("DELETE", &path).send().await, 404, None);
    let account = users.by(&admin, "GET", &user(id)).send().await.expect(200).json();
    assert_eq!((&account["active"], &account["email"]), (&json!(false), &json!("bob@example.com")));
    let again = okta.create("/Users", person).await;
    assert_eq!(
        (&again["id"], &again["active"]),
        (&json!(id), &json!(true)),
        "who they were, with their bookings"
    );
    users.events().await;
}

#[tokio::test]
async fn groups_and_their_members_are_pushed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let provider = Provider::start(&users, &admin).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let made = provider.create("/Users", json!({"userName": format!("u{n}@example.com")})).await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    users.event_types().await;
    let body =
        json!({"displayName": "Physics", "externalId": "g1", "members": [{"value": ids[0], "display": "x"}]});
    let made = provider.create("/Groups", body.clone()).await;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    assert_eq!(made["members"][0]["value"], ids[0]);
    assert_eq!(users.event_types().await, ["group.changed", "user.changed"]);
    refused(provider.send("POST", "/Groups", body).await, 409, Some("uniqueness"));
    let found = provider.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22physics%22").await;
    assert_eq!((&found["totalResults"], found["Resources"][0].get("members")), (&json!(1), None));
    let entra = json!([
        {"op": "Add", "path": "members", "value": [{"$ref": null, "value": ids[1]}, {"value": ids[2]}]},
        {"op": "Remove", "path": "members", "value": [{"value": ids[0]}]},
        {"op": "Replace", "path": "displayName", "value": "Physicists"}
    ]);
    provider.patch(&path, entra).await.expect(204);
    assert_eq!(users.event_types().await, ["group.changed", "user.changed", "user.changed", "user.changed"]);
    let okta = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[1])}]);
    provider.patch(&path, okta).await.expect(204);
    let is = provider.get(&path).await;
    assert_eq!((is["members"].as_array().unwrap().len(), &is["members"][0]["value"]), (1, &json!(ids[2])));
    let filter =
        encoded(&format!("id eq \"{}\" and members eq \"{}\"", made["id"].as_str().unwrap(), ids[2]));
    assert_eq!(provider.get(&format!("/Groups?filter={filter}")).await["totalResults"], 1);
    let nobody = json!([{"op": "add", "path": "members", "value": [{"value": made["id"]}]}]);
    refused(provider.patch(&path, nobody).await, 400, Some("invalidValue"));
    let person = provider.get(&format!("/Users/{}", ids[2])).await;
    assert_eq!(person["groups"][0]["value"], made["id"]);
    let put =
        provider.send("PUT", &path, json!({"displayName": "Physicists", "members": [{"value": ids[0]}]}));
    assert_eq!(put.await.expect(200).json()["members"][0]["value"], ids[0]);
    // Who is deleted leaves, and does not come back by coming back.
    provider.call("DELETE", &format!("/Users/{}", ids[0])).send().await.expect(204);
    provider.create("/Users", json!({"userName": "u0@example.com"})).await;
    assert_eq!(provider.get(&path).await["members"], json!([]));
    provider.call("DELETE", &path).send().await.expect(204);
    refused(provider.call("GET", &path).send().await, 404, None);
    users.events().await;
}

#[tokio::test]
async fn provisioning_makes_no_administrator_and_does_not_lose_the_last() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let provider = Provider::start(&users, &admin).await;
    let path = format!("/Users/{}", admin.id);
    let off = json!([{"op": "Replace", "path": "active", "value": false}]);
    refused(provider.patch(&path, off).await, 409, None);
    refused(provider.call("DELETE", &path).send().await, 409, None);
    let taken =
        json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "me@evil.example"}]);
    refused(provider.patch(&path, taken.clone()).await, 403, Some("mutability"));
    let manager = users.someone(&admin, "m2@example.com", Role::Manager).await;
    refused(provider.patch(&format!("/Users/{}", manager.id), taken).await, 403, Some("mutability"));
    let second =
        users.by(&admin, "POST", "/api/v1/users").json(crate::new_user("b@example.com", Role::Admin));
    let second = second.send().await.expect(201).json();
    let path = format!("/Users/{}", second["id"].as_str().unwrap());
    let active = |active: bool| json!([{"op": "Replace", "path": "active", "value": active}]);
    provider.patch(&path, active(false)).await.expect(200);
    refused(provider.patch(&path, active(true)).await, 403, Some("mutability"));
    let made = provider.create("/Users", json!({"userName": "m@example.com", "roles": ["admin"]})).await;
    let role = json!([{"op": "add", "path": "roles", "value": [{"value": "admin"}]}, {"op": "add", "path": "role", "value": "admin"}]);
    provider.patch(&format!("/Users/{}", made["id"].as_str().unwrap()), role).await.expect(200);
    let account =
        users.by(&admin, "GET", &user(made["id"].as_str().unwrap())).send().await.expect(200).json();
    assert_eq!(account["role"], "user");
    users.by(&admin, "GET", "/api/v1/me").send().await.expect(200);
    users.events().await;
}

#[tokio::test]
async fn only_a_key_with_both_permissions_opens_it_and_only_its_organization() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    let provider = Provider::start(&users, &admin).await;
    let weak = Provider::of(&users, &admin, json!(["users.manage"])).await;
    refused(weak.call("GET", "/Users").send().await, 403, None);
    refused(users.by(&manager, "GET", "/scim/v2/Users").send().await, 403, None);
    users.by(&admin, "GET", "/scim/v2/Users").send().await.expect(200);
    refused(users.call("GET", "/scim/v2/Users").send().await, 401, None);
    for token in ["x", "a.b", &provider.token[1..], &format!("{}x", provider.token)] {
        refused(users.call("GET", "/scim/v2/Users").bearer(token).send().await, 401, None);
    }
    let other = users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let stranger = Provider::start(&users, &there).await;
    let path = format!("/Users/{}", admin.id);
    for method in ["GET", "DELETE"] {
        refused(stranger.call(method, &path).send().await, 404, None);
    }
    refused(stranger.send("PUT", &path, ada()).await, 404, None);
    let list = stranger.get("/Users").await;
    assert_eq!((&list["totalResults"], &list["Resources"][0]["id"]), (&json!(1), &json!(other.user_id)));
    let group = users.group(&admin, "Physics").await;
    refused(stranger.call("GET", &format!("/Groups/{group}")).send().await, 404, None);
    let mine = stranger.create("/Groups", json!({"displayName": "Physics"})).await;
    let foreign = json!([{"op": "add", "path": "members", "value": [{"value": admin.id}]}]);
    let mine = format!("/Groups/{}", mine["id"].as_str().unwrap());
    refused(stranger.patch(&mine, foreign).await, 400, Some("invalidValue"));
    let keys = users.by(&admin, "GET", "/api/v1/api-keys").send().await.expect(200).json();
    for key in keys["items"].as_array().unwrap() {
        let path = format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap());
        users.by(&admin, "DELETE", &path).send().await.expect(204);
    }
    refused(provider.call("GET", "/Users").send().await, 401, None);
    users.events().await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_the_form_of_scim() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let provider = Provider::start(&users, &admin).await;
    for filter in [
        "userName co \"a\"",
        "userName eq \"a\" or id eq \"b\"",
        "password eq \"x\"",
        "x'; drop table users.account; --",
    ] {
        let call = provider.call("GET", &format!("/Users?filter={}", encoded(filter)));
        refused(call.send().await, 400, Some("invalidFilter"));
    }
    refused(provider.call("GET", "/Users/no-uuid").send().await, 404, None);
    refused(
        provider.call("POST", "/Users").body("application/scim+json", "{").send().await,
        400,
        Some("invalidSyntax"),
    );
    refused(provider.call("POST", "/Users").body("text/plain", "{}").send().await, 415, None);
    refused(provider.send("POST", "/Users", json!({"userName": "nobody"})).await, 400, Some("invalidValue"));
    refused(provider.send("POST", "/Bulk", json!({})).await, 501, None);
    let config = users.call("GET", "/scim/v2/ServiceProviderConfig").send().await.expect(200).json();
    assert_eq!((&config["patch"]["supported"], &config["bulk"]["supported"]), (&json!(true), &json!(false)));
    let schemas = users.call("GET", "/scim/v2/Schemas").send().await.expect(200).json();
    for schema in schemas["Resources"].as_array().unwrap() {
        let path = format!("/scim/v2/Schemas/{}", schema["id"].as_str().unwrap());
        assert_eq!(&users.call("GET", &path).send().await.expect(200).json(), schema);
    }
    refused(users.call("GET", "/scim/v2/ResourceTypes/Robot").send().await, 404, None);
    users.events().await;
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
