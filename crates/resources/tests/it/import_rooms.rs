//! The real rooms of a technical university, where they are at hand: every line is accounted for.

use std::path::PathBuf;

use kernel::Role;
use serde_json::{Value, json};

use super::{codes, create, import, outcomes, start};

/// The folder of real data, where the test command names one; it is no part of the project.
#[expect(clippy::disallowed_methods, reason = "a test that needs data from outside asks where it is")]
fn rooms() -> Option<Vec<u8>> {
    let shared = PathBuf::from(std::env::var_os("TEST_SHARED")?);
    Some(std::fs::read(shared.join("data/rooms.csv")).unwrap())
}

fn mapping() -> Value {
    json!({
        "columns": {
            "name": ["name", "suffix"], "type": "type", "seats": "capacity", "external_id": "tiss_code",
            "part_of": "parent_name", "location": { "column": "room_codes", "prefixes": [1, 2] }
        },
        "attributes": {
            "area_m2": { "column": "area", "as": "number" },
            "room_codes": { "column": "room_codes", "as": "list" },
            "short_name": "name_short"
        },
        "defaults": { "time_zone": "Europe/Vienna" },
        "values": { "type": { "seminar_room": "seminar room", "lecture_hall": "lecture hall" } },
        "separator": " ",
        "create_missing": true
    })
}

#[tokio::test]
async fn every_real_room_has_an_outcome() {
    let Some(file) = rooms() else { return };
    let app = start().await;
    let manager = app.person(Role::Manager);
    // A place that is there is found by its code.
    create(&app, &manager, "locations", json!({ "name": "Campus Karlsplatz", "kind": "site", "code": "A" }))
        .await;
    let mapping = mapping().to_string();
    let send = async || {
        import(&app, &manager, &[("file", &file), ("mapping", mapping.as_bytes())])
            .send()
            .await
            .expect(200)
            .json()
    };
    let report = send().await;
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 410);
    assert_eq!(report["totals"]["created"], 407, "{}", report["totals"]);
    let invalid: Vec<_> = lines.iter().filter(|line| line["outcome"] == "invalid").collect();
    for line in &invalid {
        assert_eq!(codes(line), ["duplicate_external_id"], "{line}");
    }
    let mut twice: Vec<_> =
        invalid.iter().map(|line| line["errors"][0]["detail"].as_str().unwrap()).collect();
    twice.sort_unstable();
    let named = |code: &str| twice.iter().any(|detail| detail.contains(&format!("{code:?}")));
    assert!(twice.len() == 3 && named("5260") && named("2533") && named("DA08G10"), "{twice:?}");
    assert_eq!(report["unused_columns"], json!(["alt_name", "comment"]));
    let page = app
        .call_as(&manager, "GET", "/api/v1/resources?q=prechtlsaal&type=seminar%20room")
        .send()
        .await
        .json();
    let halls = page["items"].as_array().unwrap();
    assert_eq!(halls.len(), 3);
    assert_eq!(
        (&halls[0]["name"], &halls[0]["location"]),
        (&json!("Prechtlsaal"), &json!(["Campus Karlsplatz", "AA"]))
    );
    assert_eq!(halls[0]["parts"].as_array().unwrap().len(), 2);
    let several = app.call_as(&manager, "GET", "/api/v1/resources?external_id=5260").send().await.json();
    assert_eq!(several["items"][0]["attributes"]["room_codes"], json!(["AFDG14", "AFDG18"]));
    let again = send().await;
    assert_eq!(again["totals"]["unchanged"], 407, "{}", again["totals"]);
    assert_eq!(outcomes(&again).len(), 410);
    assert_eq!(app.event_types().await.len(), 407);
}
