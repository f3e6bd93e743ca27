//! A manager of one building, from the administrator's word to what the services let them do.

use serde_json::{Value, json};

use crate::client::{Client, until};
use crate::installation::Installation;
use crate::journey::afternoon;

async fn building(admin: &Client, site: &Value, name: &str) -> (String, String) {
    let place = json!({ "name": name, "kind": "building", "parent_id": site["id"] });
    let place = admin.post("/api/v1/locations", place).await.expect(201)["id"].as_str().unwrap().to_owned();
    let room = json!({ "name": format!("Room of {name}"), "type": "room", "location_id": place });
    let room = admin.post("/api/v1/resources", room).await.expect(201)["id"].as_str().unwrap().to_owned();
    (place, room)
}

#[tokio::test]
async fn a_caretaker_manages_one_building() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let site = admin.post("/api/v1/locations", json!({ "name": "Campus", "kind": "site" })).await.expect(201);
    let (north, room_north) = building(&admin, &site, "North").await;
    let (_, room_south) = building(&admin, &site, "South").await;
    let ada = installation.client().register("ada@example.com", "Ada").await;
    let account = ada.get("/api/v1/me").await.expect(200);
    let patch = async |body: Value| {
        let path = format!("/api/v1/users/{}", account["id"].as_str().unwrap());
        admin.send(admin.request("PATCH", &path).header("if-match", "*").json(&body)).await.expect(200)
    };
    patch(json!({ "role": "manager", "remit": { "locations": [north] } })).await;
    // Her token says that she is a user: it is worth nothing within seconds.
    until(401, async || ada.get("/api/v1/me").await.status.as_u16()).await;
    let ada = installation.client().sign_in("ada@example.com", "a password of many words").await;
    assert_eq!(ada.get("/api/v1/me").await.expect(200)["remit"]["locations"], json!([north]));
    let rename = async |room: &str| {
        let request = ada.request("PATCH", &format!("/api/v1/resources/{room}")).header("if-match", "*");
        ada.send(request.json(&json!({ "seats": 9 }))).await
    };
    rename(&room_north).await.expect(200);
    rename(&room_south).await.problem(403, "outside_remit");
    let bob = installation.client().register("bob@example.com", "Bob").await;
    for (room, status) in [(&room_north, 200), (&room_south, 404)] {
        let body =
            json!({ "resource_id": room, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
        let booking = bob.post("/api/v1/bookings", body).await.expect(201);
        let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
        ada.get(&path).await.expect(status);
    }
    let close = |room: &str| {
        json!({ "scope": "resource", "scope_id": room, "reason": "Paint",
                "starts_at": afternoon("18:00"), "ends_at": afternoon("19:00") })
    };
    ada.post("/api/v1/blackouts", close(&room_north)).await.expect(201);
    ada.post("/api/v1/blackouts", close(&room_south)).await.problem(403, "outside_remit");
}
