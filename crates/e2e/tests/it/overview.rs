//! What the gateway puts together from several services: whole, partial when one is down, and for nobody else.

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::installation::Installation;
use crate::journey::afternoon;

/// A port on which nothing listens.
const NOWHERE: &str = "127.0.0.1:9";

/// A room that needs an approval, and one that does not.
async fn rooms(admin: &Client) -> (String, String) {
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let create = async |name: &str| {
        let room = json!({ "name": name, "type": "room", "seats": 8, "time_zone": "Pacific/Auckland" });
        let room = admin.post("/api/v1/resources", room).await.expect(201);
        room["id"].as_str().unwrap().to_owned()
    };
    (create("Ada").await, create("Grace").await)
}

fn complete(reply: &Reply) -> &str {
    reply.header("x-gateway-completed")
}

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_dashboard_is_whole_or_says_what_is_missing() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    let (room, _) = rooms(&admin).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let book = async |client: &Client, from: &str, to: &str| {
        let body = json!({ "resource_id": room, "starts_at": afternoon(from), "ends_at": afternoon(to) });
        client.post("/api/v1/bookings", body).await.expect(201)["id"].clone()
    };
    let (second, first) = (book(&ada, "16:00", "17:00").await, book(&ada, "14:00", "15:00").await);
    book(&admin, "10:00", "11:00").await;
    ada.eventually("/api/v1/notifications/unread", |unread| unread["count"] == 2).await;

    let reply = ada.get("/api/v1/me/dashboard").await;
    assert_eq!(complete(&reply), "true");
    let dashboard = reply.expect(200);
    assert_eq!(keys(&dashboard), ["next_bookings", "pending_approvals", "profile", "unread_notifications"]);
    assert_eq!(dashboard["profile"]["email"], "ada@example.com");
    let next: Vec<_> = dashboard["next_bookings"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(next, [&first, &second], "one's own, the next first");
    assert_eq!(dashboard["pending_approvals"], json!([]));
    assert_eq!(dashboard["unread_notifications"], 2);

    // An administrator may list everybody's bookings, and still sees their own here.
    let theirs = admin.get("/api/v1/me/dashboard").await.expect(200);
    assert_eq!(theirs["next_bookings"].as_array().unwrap().len(), 1);
    installation.client().get("/api/v1/me/dashboard").await.problem(401, "unauthorized");

    let without_mail = installation.replica(&[("notifications", NOWHERE)]).await;
    let reply = without_mail.client(&ada).get("/api/v1/me/dashboard").await;
    assert_eq!(complete(&reply), "false");
    assert_eq!(keys(&reply.expect(200)), ["next_bookings", "pending_approvals", "profile"]);
    let alone = installation.replica(&[("notifications", NOWHERE), ("bookings", NOWHERE)]).await;
    let reply = alone.client(&ada).get("/api/v1/me/dashboard").await;
    assert_eq!(complete(&reply), "false");
    assert_eq!(keys(&reply.expect(200)), ["profile"]);
}

#[tokio::test]
async fn the_page_of_a_resource_has_its_hours_and_its_own_today() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    let (room, other) = rooms(&admin).await;
    let hours = json!({ "weekly": [{ "days": ["monday"], "opens": "08:00:00", "closes": "18:00:00" }] });
    let rules = json!({ "scope": "resource", "schedule": hours });
    let put = admin.request("PUT", &format!("/api/v1/rules/{room}")).json(&rules);
    let put = admin.send(put).await;
    assert!(put.status.is_success(), "{:#}", put.body);
    let path = format!("/api/v1/resources/{room}/page");
    let schedule = format!("/api/v1/resources/{room}/schedule");
    admin.eventually(&schedule, |schedule| schedule["schedule"] == hours).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let reply = ada.get(&path).await;
    assert_eq!(complete(&reply), "true");
    let page = reply.expect(200);
    assert_eq!(keys(&page), ["resource", "schedule", "today", "within_hours"]);
    assert_eq!((&page["resource"]["name"], &page["schedule"]), (&json!("Ada"), &hours));
    let begins: jiff::Timestamp = page["today"]["window"]["starts_at"].as_str().unwrap().parse().unwrap();
    let midnight = begins.in_tz("Pacific/Auckland").unwrap();
    assert_eq!(midnight, midnight.start_of_day().unwrap(), "the day of the resource, not of the server");
    let always = ada.get(&format!("/api/v1/resources/{other}/page")).await.expect(200);
    assert_eq!(always["schedule"], Value::Null);

    let without_bookings = installation.replica(&[("bookings", NOWHERE)]).await;
    let reply = without_bookings.client(&ada).get(&path).await;
    assert_eq!(complete(&reply), "false");
    assert_eq!(keys(&reply.expect(200)), ["resource"]);
    let nothing = "/api/v1/resources/01936f6e-0000-7000-8000-000000000000/page";
    ada.get(nothing).await.problem(404, "not_found");
    // Nobody answers: that is not for lack of the resource.
    let lonely = installation.replica(&[("bookings", NOWHERE), ("resources", NOWHERE)]).await;
    lonely.client(&ada).get(&path).await.problem(502, "bad_gateway");
}
