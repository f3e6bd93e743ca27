//! A screen that stays open, through the gateway: what happens arrives at once, not when the answer ends.

use serde_json::json;

use crate::installation::Installation;
use crate::journey::{afternoon, import, search};

/// Reads on until a whole event of a type has arrived.
async fn until(stream: &mut reqwest::Response, text: &mut String, kind: &str) {
    let line = format!("event: {kind}\n");
    while !(text.contains(&line) && text.ends_with("\n\n")) {
        let chunk = stream.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn a_screen_hears_of_a_booking_while_it_stays_open() {
    let installation = Installation::on_database().await;
    import(&installation).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let bob = installation.client().register("bob@example.com", "Bob").await;
    let room = search(&ada).await;
    let id = room["resource_id"].as_str().unwrap();
    let open = bob.request("GET", &format!("/api/v1/live?resource_id={id}"));
    let mut stream = open.send().await.unwrap();
    assert_eq!(stream.status().as_u16(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    until(&mut stream, &mut text, "ready").await;
    let body = json!({ "resource_id": id, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00"), "title": "Secret" });
    ada.post("/api/v1/bookings", body).await.expect(201);
    until(&mut stream, &mut text, "booking.confirmed").await;
    assert!(text.contains(id) && !text.contains("Secret") && !text.contains("user_id"), "{text}");
}
