//! Imports: every line has an outcome, valid lines go in, nothing is lost in silence.

use serde_json::{Value, json};

use super::{codes, import, manager, outcomes, report, start};

fn mapping() -> Value {
    json!({
        "columns": { "external_id": "no", "name": "label", "type": "kind", "seats": "people", "amenities": "has",
                     "location": "where" },
        "attributes": { "area": { "column": "m2", "as": "number" } },
        "values": { "type": { "RM": "room" }, "amenities": { "beamer": "projector", "-": "" } },
        "separator": "+",
        "create_missing": true
    })
}

const HEAD: &str = "no,label,kind,people,has,where,m2,remark\n";

#[tokio::test]
async fn lines_are_created_updated_and_left_alone() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = format!(
        "\u{feff}{HEAD}1, Großer  Saal ,rm,40,Beamer + screen,North/Main,99.5,x\n2,Desk,desk,,-,,,\n"
    );
    let first = report(&app, &manager, &file, mapping()).await;
    assert_eq!(outcomes(&first), ["created", "created"], "{first}");
    assert_eq!(first["unused_columns"], json!(["remark"]));
    assert_eq!(
        first["created"],
        json!({ "types": ["desk"], "amenities": ["screen"], "locations": ["North", "North/Main"] })
    );
    assert_eq!((&first["lines"][0]["line"], &first["lines"][0]["name"]), (&json!(2), &json!("Großer Saal")));
    let path = format!("/api/v1/resources/{}", first["lines"][0]["id"].as_str().unwrap());
    let hall = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!(hall["location"], json!(["North", "Main"]));
    assert_eq!(hall["amenities"], json!(["projector", "screen"]));
    assert_eq!(hall["attributes"], json!({ "area": 99.5 }));
    let file = file.replace(",40,", ",42,");
    let second = report(&app, &manager, &file, mapping()).await;
    assert_eq!(outcomes(&second), ["updated", "unchanged"], "{second}");
    let hall = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!(
        (&hall["seats"], &hall["version"]),
        (&json!(42), &json!(2)),
        "and the cache forgot the old one"
    );
    assert_eq!(app.event_types().await, ["resource.created", "resource.created", "resource.changed"]);
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_the_rest_goes_in() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = format!(
        "{HEAD}1,Good,room,3,,,,\n2,,room,3,,,,\n3,Bad seats,room,abc,,,,\n,,,,,,,\n1,Again,room,,,,,\n4,Short,room\n\
         5,No type,,,,,,\n6,Deep,room,,,a/b/c/d/e,,\n7,Number,room,-1,,,many,\n"
    );
    let report = report(&app, &manager, &file, mapping()).await;
    let expected =
        ["created", "invalid", "invalid", "skipped", "invalid", "invalid", "invalid", "invalid", "invalid"];
    assert_eq!(outcomes(&report), expected, "{report}");
    let errors: Vec<_> = report["lines"].as_array().unwrap().iter().map(codes).collect();
    let expected: [&[&str]; 9] = [
        &[],
        &["required"],
        &["invalid_value"],
        &[],
        &["duplicate_external_id"],
        &["wrong_cell_count"],
        &["required"],
        &["location_too_deep"],
        &["invalid_value", "invalid_value"],
    ];
    assert_eq!(errors, expected);
    assert_eq!(report["lines"][4]["errors"][0]["detail"], "Line 2 has the external id \"1\" already.");
    assert_eq!(
        report["totals"],
        json!({ "lines": 9, "created": 1, "updated": 0, "unchanged": 0, "invalid": 7, "skipped": 1 })
    );
    assert_eq!(
        report["created"],
        json!({ "types": [], "amenities": [], "locations": [] }),
        "nothing for lines that stay out"
    );
    assert_eq!(app.event_types().await, ["resource.created"]);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let app = start().await;
    let manager = manager(&app).await;
    let (file, mapping) = (format!("{HEAD}1,Hall,hall,3,,North,,\n"), mapping().to_string());
    let form: [(&str, &[u8]); 3] =
        [("file", file.as_bytes()), ("mapping", mapping.as_bytes()), ("dry_run", b"true")];
    let report = import(&app, &manager, &form).send().await.expect(200).json();
    assert_eq!((&report["dry_run"], outcomes(&report)), (&json!(true), vec!["created"]));
    assert_eq!(report["lines"][0]["id"], Value::Null);
    assert_eq!(report["created"]["types"], json!(["hall"]));
    for list in ["resources", "locations"] {
        let page = app.call_as(&manager, "GET", &format!("/api/v1/{list}")).send().await.expect(200).json();
        assert_eq!(page["items"], json!([]));
    }
    assert!(app.event_types().await.is_empty());
}

#[tokio::test]
async fn without_a_mapping_columns_are_what_they_are_named() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = "Name;TYPE;seats;colour\r\nRoom 1;room;4;red\r\nRoom 2;rocket;4;red\r\n";
    let report = import(&app, &manager, &[("file", file.as_bytes())]).send().await.expect(200).json();
    assert_eq!(outcomes(&report), ["created", "invalid"], "{report}");
    assert_eq!(codes(&report["lines"][1]), ["unknown_type"], "nothing is created unless that is asked for");
    assert_eq!(report["unused_columns"], json!(["colour"]));
    assert_eq!(app.event_types().await, ["resource.created"]);
}

#[tokio::test]
async fn lines_without_an_external_id_are_found_by_name_and_place() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = format!("{HEAD},Lab,room,3,,North,,\n,Lab,room,4,,North,,\n,Lab,room,5,,South,,\n");
    let first = report(&app, &manager, &file, mapping()).await;
    assert_eq!(outcomes(&first), ["created", "created", "created"]);
    let second = report(&app, &manager, &file, mapping()).await;
    assert_eq!(outcomes(&second), ["unchanged", "unchanged", "unchanged"]);
    for (before, after) in first["lines"].as_array().unwrap().iter().zip(second["lines"].as_array().unwrap())
    {
        assert_eq!(before["id"], after["id"]);
    }
    assert_eq!(app.event_types().await.len(), 3);
}

#[tokio::test]
async fn json_goes_the_same_way() {
    let app = start().await;
    let manager = manager(&app).await;
    let post = |body: Value| app.call_as(&manager, "POST", "/api/v1/resources/import").json(body).send();
    let body = json!({ "create_missing": true, "resources": [
        { "name": "Hall", "type": "hall", "location": ["North"], "seats": 9, "amenities": ["projector"], "external_id": "H",
          "attributes": { "area": 5, "floor": "wood" } },
        { "name": "Left", "type": "hall", "part_of": "H" },
        { "name": "Wrong", "type": "hall", "colour": "red" },
        { "type": "hall" },
        "no object"
    ] });
    let report = post(body).await.expect(200).json();
    assert_eq!(outcomes(&report), ["created", "created", "invalid", "invalid", "invalid"], "{report}");
    let errors: Vec<_> = report["lines"].as_array().unwrap().iter().skip(2).map(codes).collect();
    assert_eq!(errors, [["unknown_field"], ["required"], ["invalid_value"]]);
    // Silence keeps, null clears.
    let body = json!({ "resources": [{ "name": "Hall", "external_id": "H", "seats": null, "attributes": { "floor": null } }] });
    let report = post(body).await.expect(200).json();
    assert_eq!(outcomes(&report), ["updated"], "{report}");
    let path = format!("/api/v1/resources/{}", report["lines"][0]["id"].as_str().unwrap());
    let hall = app.call_as(&manager, "GET", &path).send().await.expect(200).json();
    assert_eq!((&hall["seats"], &hall["attributes"]), (&Value::Null, &json!({ "area": 5 })));
    assert_eq!((&hall["location"], hall["parts"].as_array().unwrap().len()), (&json!(["North"]), 1));
    assert_eq!(app.event_types().await, ["resource.created", "resource.created", "resource.changed"]);
}

#[tokio::test]
async fn a_file_or_mapping_that_cannot_be_read_is_refused_whole() {
    let app = start().await;
    let manager = manager(&app).await;
    let send = async |file: &[u8], mapping: &str| {
        import(&app, &manager, &[("file", file), ("mapping", mapping.as_bytes())]).send().await
    };
    let name = r#"{ "columns": { "name": "name" } }"#;
    send(b"name\nB\xFCro\n", name).await.problem(422, "not_utf8");
    send(b"", name).await.problem(422, "malformed_csv");
    send(b"name\nx\n", "{").await.problem(400, "malformed_json");
    for (mapping, pointer, code) in [
        (r#"{ "columns": { "name": "title" } }"#, "/mapping/columns/name", "unknown_column"),
        (r#"{ "columns": { "seats": "name" } }"#, "/mapping/columns/name", "required"),
        (
            r#"{ "columns": { "name": "name", "colour": "name" } }"#,
            "/mapping/columns/colour",
            "invalid_value",
        ),
        (
            r#"{ "columns": { "name": { "column": "name", "prefixes": [1] } } }"#,
            "/mapping/columns/name",
            "location_only",
        ),
        (r#"{ "columns": { "name": 7 } }"#, "/mapping/columns/name", "invalid_value"),
        (r#"{ "columns": { "name": "name" }, "delimiter": "→" }"#, "/mapping/delimiter", "invalid_value"),
    ] {
        let problem = send(b"name,name2\nx,y\n", mapping).await.problem(422, "invalid_input");
        let error = &problem["errors"][0];
        assert_eq!(
            (error["pointer"].as_str(), error["code"].as_str()),
            (Some(pointer), Some(code)),
            "{problem}"
        );
    }
    import(&app, &manager, &[]).send().await.problem(422, "file_missing");
    import(&app, &manager, &[("extra", b"1")]).send().await.problem(422, "invalid_input");
    let long = format!("name\n{}", "x\n".repeat(20_001));
    send(long.as_bytes(), name).await.problem(422, "too_many_lines");
    send(&vec![b'x'; 17 * 1024 * 1024], name).await.problem(413, "body_too_large");
    let text = app.call_as(&manager, "POST", "/api/v1/resources/import").body("text/csv", "name\nx\n");
    text.send().await.problem(415, "unsupported_media_type");
    assert!(app.event_types().await.is_empty());
}

#[tokio::test]
async fn a_retired_resource_is_not_revived() {
    let app = start().await;
    let manager = manager(&app).await;
    let file = format!("{HEAD}1,Room,room,,,,,\n");
    let first = report(&app, &manager, &file, mapping()).await;
    let path = format!("/api/v1/resources/{}", first["lines"][0]["id"].as_str().unwrap());
    app.call_as(&manager, "DELETE", &path).header("if-match", "*").send().await.expect(204);
    let second = report(&app, &manager, &file, mapping()).await;
    assert_eq!(codes(&second["lines"][0]), ["resource_retired"]);
    assert_eq!(app.event_types().await, ["resource.created", "resource.retired"]);
}
