//! The same journey over real data that nobody shaped for us, when `TEST_SHARED` names its folder (CI does).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::journey::afternoon;

/// The folder of the real data; where there is none, the journey over the example campus has to do.
#[expect(clippy::disallowed_methods, reason = "an optional variable, which the test kit does not read")]
fn rooms() -> Option<PathBuf> {
    std::env::var_os("TEST_SHARED").map(|folder| PathBuf::from(folder).join("data/rooms.csv"))
}

#[tokio::test]
async fn a_universitys_rooms_are_imported_searched_and_booked() {
    let Some(rooms) = rooms() else { return };
    let installation = Installation::start(&[]).await;
    let admin = installation.admin().await;
    let mapping = include_str!("tuwien.mapping.json");
    let csv = std::fs::read(rooms).unwrap();
    let report = admin.import(csv.clone(), mapping).await;
    let lines = report["lines"].as_array().unwrap();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *outcomes.entry(line["outcome"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(lines.len(), 410, "every line is accounted for");
    assert!(outcomes["created"] >= 400, "{outcomes:?}");

    // The same file again changes nothing.
    let again = admin.import(csv, mapping).await;
    assert!(again["lines"].as_array().unwrap().iter().all(|line| line["outcome"] != "created"));

    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let window = format!("from={}&to={}", afternoon("13:00"), afternoon("18:00"));
    let hall = format!("/api/v1/availability?{window}&q=Prechtlsaal&limit=100");
    let named = |found: &Value, name: &str| {
        let items = found["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).map(|item| item["resource_id"].clone())
    };
    let found = ada.eventually(&hall, |found| named(found, "Prechtlsaal").is_some()).await;
    let (whole, part) =
        (named(&found, "Prechtlsaal").unwrap(), named(&found, "Prechtlsaal (kleiner Teil)").unwrap());
    let book = |resource: &Value| json!({ "resource_id": resource, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    ada.post("/api/v1/bookings", book(&part)).await.expect(201);
    let refused = ada.post("/api/v1/bookings", book(&whole)).await.problem(409, "slot_taken");
    assert_eq!(refused["conflicts"][0]["resource_name"], "Prechtlsaal (kleiner Teil)");

    let path = format!("/api/v1/availability?{window}&duration_minutes=90&type=lecture%20hall&seats=200");
    let halls = ada.eventually(&path, |found| !found["items"].as_array().unwrap().is_empty()).await;
    ada.post("/api/v1/bookings", book(&halls["items"][0]["resource_id"])).await.expect(201);
}
