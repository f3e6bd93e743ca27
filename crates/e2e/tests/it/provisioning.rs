//! Groups by rule and SCIM from end to end: what the identity provider says decides on bookings and on sessions.

use serde_json::{Value, json};

use crate::client::{Client, until};
use crate::installation::Installation;
use crate::journey::afternoon;

async fn provider(installation: &Installation, admin: &Client) -> Client {
    let service = json!({ "name": "Provider", "role": "admin" });
    let service = admin.post("/api/v1/service-accounts", service).await.expect(201);
    let key =
        json!({ "name": "SCIM", "user_id": service["id"], "scopes": ["users.manage", "groups.manage"] });
    let key = admin.post("/api/v1/api-keys", key).await.expect(201);
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    installation.client().with_token(&format!("{}.{}", text("client_id"), text("client_secret")))
}

async fn scim(provider: &Client, method: &str, path: &str, body: &Value) -> u16 {
    let request = provider.request(method, &format!("/scim/v2{path}"));
    let request = request.header("content-type", "application/scim+json").body(body.to_string());
    provider.send(request).await.status.as_u16()
}

#[tokio::test]
async fn an_attribute_from_the_provider_opens_a_room_and_deactivation_ends_the_session() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    let provider = provider(&installation, &admin).await;
    let group = admin.post("/api/v1/groups", json!({ "name": "Physicists" })).await.expect(201);
    let rule = json!({ "attributes": { "department": ["Physics"] } });
    let path = format!("/api/v1/groups/{}/rule", group["id"].as_str().unwrap());
    admin.send(admin.request("PUT", &path).json(&rule)).await.expect(202);
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = json!({ "name": "Laboratory", "type": "room", "seats": 8, "time_zone": "Europe/Lisbon" });
    let room = admin.post("/api/v1/resources", room).await.expect(201)["id"].as_str().unwrap().to_owned();
    let rules = json!({
        "scope": "resource", "policy": { "access": { "book": { "groups": [group["id"]] } } }
    });
    let put = admin.send(admin.request("PUT", &format!("/api/v1/rules/{room}")).json(&rules)).await;
    assert!(put.status.is_success(), "{:#}", put.body);
    let ada = installation.client().register("ada@example.com", "Ada").await;
    let booking =
        json!({ "resource_id": room, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let book = async || ada.post("/api/v1/bookings", booking.clone()).await.status.as_u16();
    until(422, &book).await;
    let id = ada.get("/api/v1/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let found = provider.get("/scim/v2/Users?filter=userName+eq+%22ada@example.com%22").await;
    assert_eq!(found.header("content-type"), "application/scim+json");
    assert_eq!(found.expect(200)["Resources"][0]["id"], id);
    let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
    let operations = json!([{ "op": "Add", "path": department, "value": "Physics" }]);
    let patch = json!({ "Operations": operations });
    assert_eq!(scim(&provider, "PATCH", &format!("/Users/{id}"), &patch).await, 200);
    until(201, &book).await;
    let off = json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] });
    assert_eq!(scim(&provider, "PATCH", &format!("/Users/{id}"), &off).await, 200);
    until(401, async || ada.get("/api/v1/me").await.status.as_u16()).await;
}
