//! The product's own route file: it loads, guards what must be guarded and finds its services.

use std::collections::BTreeMap;

use gateway::Options;
use http::StatusCode;

use crate::backend::Backend;
use crate::client;
use crate::gateway::Running;

const FILE: &str = include_str!("../../../../deploy/gateway.json");

async fn start(backend: &Backend) -> Running {
    let names = ["users", "resources", "bookings", "notifications"];
    let resolve: BTreeMap<String, String> =
        names.iter().map(|name| ((*name).to_owned(), backend.address.to_string())).collect();
    Running::start_with(FILE, Options { resolve, ..Options::default() }).await
}

/// What needs no access token: signing in, what links in mails lead to (their token stands after the `#`, so that the
/// gateway never sees it), mail programs that unsubscribe by the link alone, providers
/// that sign what they tell, and SCIM, which shows an API key.
const OPEN: [&str; 9] = [
    "/api/v1/auth/",
    "/.well-known/",
    "/verify-email",
    "/confirm-email",
    "/accept-invitation",
    "/reset-password",
    "/api/v1/unsubscribe/",
    "/api/v1/provider-events/",
    "/scim/v2/",
];

#[tokio::test]
async fn public_paths_pass_and_the_rest_needs_a_token() {
    let backend = Backend::start().await;
    let running = start(&backend).await;
    let login = client::ask("POST", &running.url("/api/v1/auth/login"), &[], "{}").await;
    assert_eq!(login.status, StatusCode::NOT_FOUND, "the backend was asked, and knows no such path");
    let file: serde_json::Value = serde_json::from_str(FILE).unwrap();
    for endpoint in file["endpoints"].as_array().unwrap() {
        let (method, path) = (endpoint["method"].as_str().unwrap(), endpoint["endpoint"].as_str().unwrap());
        if OPEN.iter().any(|open| path.starts_with(open)) {
            continue;
        }
        let reply = client::ask(method, &running.url(&path.replace("{id}", "1")), &[], "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(reply.json()["code"], "unauthorized");
    }
}

#[tokio::test]
async fn a_fixed_segment_wins_over_a_parameter() {
    let backend = Backend::start().await;
    let running = start(&backend).await;
    let import = client::ask("POST", &running.url("/api/v1/resources/import"), &[], "x").await;
    assert_eq!(import.status, StatusCode::UNAUTHORIZED);
    let other = client::ask("POST", &running.url("/api/v1/resources/other"), &[], "x").await;
    assert_eq!(other.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(other.header("allow"), "GET, PATCH, DELETE");
}
