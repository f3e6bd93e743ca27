//! What is held about a person, from every service, in one archive; and that all of it goes when they do.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::{Value, json};
use zip::ZipArchive;

use crate::client::Client;
use crate::installation::Installation;
use crate::journey::afternoon;

/// The files of an archive, by name.
async fn export(client: &Client, path: &str) -> BTreeMap<String, String> {
    let reply = client.request("POST", path).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.headers()["content-type"], "application/zip");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    let bytes = reply.bytes().await.unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

#[tokio::test]
async fn all_that_is_held_is_given_away_and_goes_with_the_person() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = json!({ "name": "Ada", "type": "room", "seats": 8, "time_zone": "Europe/Lisbon" });
    let room = admin.post("/api/v1/resources", room).await.expect(201)["id"].clone();
    let eva = installation.client().register("eva@example.com", "Eva Evans").await;
    let id = eva.get("/api/v1/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let slot = |title: &str| {
        json!({ "resource_id": room, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00"), "title": title,
                "guests": [{ "email": "guest@outside.example" }] })
    };
    let booked = eva.post("/api/v1/bookings", slot("A talk by Eva")).await.expect(201);
    eva.eventually("/api/v1/notifications", |list| list["items"][0]["kind"] == "booking_confirmed").await;

    let own = export(&eva, "/api/v1/me/export").await;
    assert_eq!(
        own.keys().collect::<Vec<_>>(),
        ["README.txt", "bookings.json", "notifications.json", "resources.json", "users.json"]
    );
    let part = |file: &str, part: &str| {
        serde_json::from_str::<Value>(&own[file]).unwrap()[part].as_array().unwrap().clone()
    };
    assert_eq!(part("users.json", "account")[0]["email"], "eva@example.com");
    let booking = &part("bookings.json", "bookings")[0];
    assert_eq!((&booking["title"], &booking["id"]), (&json!("A talk by Eva"), &booked["id"]));
    assert_eq!(booking["guests"][0]["email"], "guest@outside.example");
    let messages = part("notifications.json", "messages");
    assert!(messages.iter().any(|message| message["reference"] == booked["reference"]));
    assert_eq!(part("bookings.json", "events")[0]["type"], "reservas.booking.confirmed.v1");
    let asked = export(&admin, &format!("/api/v1/users/{id}/export")).await;
    assert!(asked["users.json"].contains("reservas.user.exported.v1"), "that it was given away is told");
    let none = export(&admin, "/api/v1/me/export").await;
    assert!(!none.values().any(|text| text.contains("eva@example.com") || text.contains("A talk by Eva")));

    eva.send(eva.request("DELETE", "/api/v1/me").header("if-match", "*")).await.expect(204);
    // Within seconds the time is free, and nobody finds the words or the person.
    let path = format!("/api/v1/bookings/{}", booked["id"].as_str().unwrap());
    let left = admin
        .eventually(&path, |booking| booking["status"] == "cancelled" && booking["title"].is_null())
        .await;
    assert_eq!(left["user_id"], json!(id));
    assert!(!left.to_string().contains("outside.example"));
    admin.post("/api/v1/bookings", slot("Another")).await.expect(201);
    admin.post(&format!("/api/v1/users/{id}/export"), json!({})).await.problem(404, "not_found");
    let trail = admin.get(&format!("/api/v1/audit/users?subject_id={id}")).await.expect(200);
    assert_eq!(trail["items"][0]["type"], "reservas.user.removed.v1");
    assert!(!trail.to_string().contains("eva@") && !trail.to_string().contains("Evans"));
}
