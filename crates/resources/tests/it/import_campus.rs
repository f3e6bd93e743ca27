//! The example campus that the project ships goes in whole.

use serde_json::{Value, json};

use super::{import, start};
use kernel::Role;

#[tokio::test]
async fn the_example_campus_is_imported() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/campus");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let (file, mapping) = (read("resources.csv"), read("mapping.json"));
    let app = start().await;
    let manager = app.person(Role::Manager);
    let send = async || {
        import(&app, &manager, &[("file", &file), ("mapping", &mapping)]).send().await.expect(200).json()
    };
    let report = send().await;
    assert_eq!(
        report["totals"],
        json!({ "lines": 24, "created": 24, "updated": 0, "unchanged": 0, "invalid": 0, "skipped": 0 })
    );
    assert_eq!(report["unused_columns"], json!(["Remarks"]));
    let list = async |query: &str| -> Vec<Value> {
        let page = app
            .call_as(&manager, "GET", &format!("/api/v1/resources?{query}"))
            .send()
            .await
            .expect(200)
            .json();
        page["items"].as_array().unwrap().clone()
    };
    let hall = &list("external_id=MH-001").await[0];
    assert_eq!(hall["parts"].as_array().unwrap().len(), 2);
    assert_eq!(hall["location"], json!(["Mill House", "Ground floor"]));
    assert_eq!(hall["time_zone"], "Europe/Vienna");
    let rooms = list("type=meeting%20room&seats_min=8").await;
    let with_projector = |room: &&Value| room["amenities"].as_array().unwrap().contains(&json!("projector"));
    assert_eq!(rooms.iter().filter(with_projector).count(), 3, "rooms for 8 with a projector");
    assert_eq!(list("external_id=WS-5").await[0]["units"], 12);
    assert_eq!(send().await["totals"]["unchanged"], 24, "twice changes nothing");
    assert_eq!(app.event_types().await.len(), 24);
}
