//! What people hear of requests and waitlists, from the booking to their list of notifications.

use serde_json::json;

use crate::installation::Installation;
use crate::journey::afternoon;

#[tokio::test]
async fn who_decides_and_who_waits_is_told() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = admin.post("/api/v1/resources", json!({ "name": "Blue", "type": "room" })).await.expect(201);
    let path = format!("/api/v1/rules/{}", room["id"].as_str().unwrap());
    let rules = json!({ "scope": "resource", "policy": { "approval": { "always": true } } });
    let put = admin.send(admin.request("PUT", &path).json(&rules)).await;
    assert!(put.status.is_success(), "{:#}", put.body);
    let (ada, bob) = (installation.client(), installation.client());
    let (ada, bob) =
        (ada.register("ada@example.com", "Ada").await, bob.register("bob@example.com", "Bob").await);
    let times =
        json!({ "resource_id": room["id"], "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let is_first = |kind: &'static str| move |list: &serde_json::Value| list["items"][0]["kind"] == kind;
    // The rules reach the booking service a moment later.
    let request = loop {
        let made = ada.post("/api/v1/bookings", times.clone()).await.expect(201);
        let path = format!("/api/v1/bookings/{}", made["id"].as_str().unwrap());
        if made["status"] == "pending" {
            break path;
        }
        ada.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    };
    ada.eventually("/api/v1/notifications", is_first("booking_requested")).await;
    admin.eventually("/api/v1/notifications", is_first("booking_approval_needed")).await;
    admin.post(&format!("{request}/approve"), json!({})).await.expect(200);
    ada.eventually("/api/v1/notifications", is_first("booking_confirmed")).await;
    bob.post("/api/v1/waitlist", times).await.expect(201);
    ada.post(&format!("{request}/cancel"), json!({})).await.expect(200);
    let told = bob.eventually("/api/v1/notifications", is_first("booking_offered")).await;
    let offer = format!("/api/v1/bookings/{}", told["items"][0]["booking_id"].as_str().unwrap());
    assert_eq!(bob.get(&offer).await.expect(200)["status"], "held");
}
