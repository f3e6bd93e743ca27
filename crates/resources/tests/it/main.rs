//! The resource service on the real PostgreSQL, one file per slice.
#![expect(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod access;
mod catalogue;
mod import;
mod import_campus;
mod import_links;
mod import_rooms;
mod parts;
mod remit;
mod resources;
mod rules;
mod schema;
mod sight;

use std::fmt::Write as _;

use ::resources::Config;
use kernel::Role;
use serde_json::{Value, json};
use testkit::{Call, Person, TestApp};

/// The service on a database of its own.
async fn start() -> TestApp {
    TestApp::start(::resources::schema(), async |context| {
        let config = Config::default().into();
        ::resources::routes(::resources::App { context, config })
    })
    .await
}

/// Something that a test creates on the way: its body.
async fn create(app: &TestApp, person: &Person, noun: &str, body: Value) -> Value {
    app.call_as(person, "POST", &format!("/api/v1/{noun}")).json(body).send().await.expect(201).json()
}

/// A manager, with the type `room` and the amenity `projector` there.
async fn manager(app: &TestApp) -> Person {
    let manager = app.person(Role::Manager);
    create(app, &manager, "resource-types", json!({ "name": "room" })).await;
    create(app, &manager, "amenities", json!({ "name": "projector" })).await;
    manager
}

/// The import of a form.
fn import(app: &TestApp, person: &Person, parts: &[(&str, &[u8])]) -> Call {
    let boundary = "a-boundary-that-no-file-has";
    let mut body = Vec::new();
    for (name, content) in parts {
        let mut head = String::new();
        let file_name = if *name == "file" { "; filename=\"resources.csv\"" } else { "" };
        write!(head, "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n")
            .unwrap();
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let media_type = format!("multipart/form-data; boundary={boundary}");
    app.call_as(person, "POST", "/api/v1/resources/import").body(&media_type, body)
}

/// The report of an import of a file with a mapping.
async fn report(app: &TestApp, person: &Person, file: &str, mapping: Value) -> Value {
    let mapping = mapping.to_string();
    let parts: [(&str, &[u8]); 2] = [("mapping", mapping.as_bytes()), ("file", file.as_bytes())];
    import(app, person, &parts).send().await.expect(200).json()
}

/// The outcomes of a report, in order.
fn outcomes(report: &Value) -> Vec<&str> {
    report["lines"].as_array().unwrap().iter().map(|line| line["outcome"].as_str().unwrap()).collect()
}

/// The codes of a line's errors.
fn codes(line: &Value) -> Vec<&str> {
    line["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}
