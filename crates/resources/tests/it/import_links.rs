//! Lines that are parts of other lines or of what is there.

use serde_json::{Value, json};

use super::{codes, create, manager, outcomes, report, start};

fn mapping() -> Value {
    json!({ "columns": { "name": "name", "external_id": "no", "part_of": "in", "units": "units" }, "defaults": { "type": "room" } })
}

#[tokio::test]
async fn the_order_of_the_file_does_not_matter() {
    let app = start().await;
    let manager = manager(&app).await;
    let stored = create(&app, &manager, "resources", json!({ "name": "Campus", "type": "room" })).await;
    let file = "name,no,in,units\nLeft,,hall,\nRight,,H,\nHall,H,Campus,\n";
    let first = report(&app, &manager, file, mapping()).await;
    assert_eq!(outcomes(&first), ["created", "created", "created"], "{first}");
    let read = async |id: &Value| {
        let path = format!("/api/v1/resources/{}", id.as_str().unwrap());
        app.call_as(&manager, "GET", &path).send().await.expect(200).json()
    };
    let hall = read(&first["lines"][2]["id"]).await;
    assert_eq!(hall["parts"], json!([first["lines"][0]["id"], first["lines"][1]["id"]]));
    assert_eq!(read(&stored["id"]).await["parts"], json!([hall["id"]]));
    let again = report(&app, &manager, file, mapping()).await;
    assert_eq!(outcomes(&again), ["unchanged", "unchanged", "unchanged"], "{again}");
    let mut types = app.event_types().await;
    types.sort();
    assert_eq!(
        types,
        ["resource.changed", "resource.created", "resource.created", "resource.created", "resource.created"]
    );
}

#[tokio::test]
async fn a_part_that_leads_nowhere_stays_out() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = "name,no,in,units\nA,,Nowhere,\nB,,A,\nTwin,,,\nTwin,,,\nC,,Twin,\nPool,P,,5\nD,,Pool,\nE,,Bad,\nBad,,,x\n\
                Ring 1,R1,R2,\nRing 2,R2,R1,\nHanger,,Ring 1,\nSelf,S,S,\n";
    let report = report(&app, &manager, file, mapping()).await;
    let errors: Vec<_> = report["lines"].as_array().unwrap().iter().map(codes).collect();
    let expected: [&[&str]; 13] = [
        &["unknown_part_of"],
        &["part_of_invalid"],
        &[],
        &[],
        &["ambiguous_part_of"],
        &[],
        &["whole_has_units"],
        &["part_of_invalid"],
        &["invalid_value"],
        &["parts_cycle"],
        &["parts_cycle"],
        &["part_of_invalid"],
        &["parts_cycle"],
    ];
    assert_eq!(errors, expected, "{report}");
    let detail = report["lines"][9]["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("Ring 1 > Ring 2") || detail.contains("Ring 2 > Ring 1"), "{detail}");
    assert_eq!(app.event_types().await.len(), 3);
}

#[tokio::test]
async fn a_circle_through_what_is_stored_is_found() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = "name,no,in,units\nTop,T,,\nMiddle,M,T,\nBottom,B,M,\n";
    assert_eq!(outcomes(&report(&app, &manager, file, mapping()).await), ["created", "created", "created"]);
    let closing = report(&app, &manager, "name,no,in,units\nTop,T,B,\n", mapping()).await;
    assert_eq!(codes(&closing["lines"][0]), ["parts_cycle"], "{closing}");
    assert_eq!(app.event_types().await.len(), 3);
}
