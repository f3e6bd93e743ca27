//! One correlation id through all services: in the answers, the logs, the events, and the calls between services.

use std::collections::BTreeSet;

use serde_json::json;

use crate::installation::Installation;
use crate::journey::{afternoon, import, search};

#[tokio::test]
async fn one_id_is_followed_through_all_services() {
    let installation = Installation::on_database_with(&[("RUST_LOG", "info")]).await;
    import(&installation).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let room = search(&ada).await;
    let body = json!({ "resource_id": room["resource_id"], "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let request = ada.request("POST", "/api/v1/bookings").header("x-correlation-id", "follow-me").json(&body);
    let id = ada.send(request).await.expect(201)["id"].as_str().unwrap().to_owned();
    let history = ada.get(&format!("/api/v1/bookings/{id}/history")).await.expect(200);
    assert_eq!(history["items"][0]["correlation_id"], "follow-me");
    let sent = |messages: &serde_json::Value| messages["items"][0]["deliveries"][0]["status"] == "sent";
    ada.eventually("/api/v1/notifications", sent).await;

    // The booking service answered the client, and the user service the question whom to tell.
    let log = installation.log();
    let with_it: BTreeSet<_> = log
        .iter()
        .filter(|line| line.to_string().contains("\"follow-me\""))
        .map(|line| line["span"]["service"].as_str().or(line["target"].as_str()).unwrap())
        .collect();
    assert!(with_it.is_superset(&["gateway::access", "bookings", "users"].into()), "{with_it:?}");
    let secrets = ["a password of many words", "Bearer ", "access_token"];
    assert!(log.iter().all(|line| secrets.iter().all(|secret| !line.to_string().contains(secret))));
}
