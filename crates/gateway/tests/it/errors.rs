//! The gateway's own errors, as problems and as the original has them.

use gateway::Options;
use http::StatusCode;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::client::{Reply, ask, get};
use crate::gateway::{Running, compatible};
use crate::passing::{endpoint, file};

fn problem(reply: &Reply, status: u16, code: &str, instance: &str) {
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let document = reply.json();
    assert_eq!((document["status"].as_u64(), reply.status.as_u16()), (Some(status.into()), status));
    assert_eq!((document["code"].as_str(), document["instance"].as_str()), (Some(code), Some(instance)));
    assert_eq!(document["correlation_id"], reply.header("x-correlation-id"));
    for member in ["type", "title", "detail"] {
        assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
}

/// A port where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn problems_for_what_the_gateway_refuses() {
    let backend = Backend::start().await;
    let mut refused = endpoint(&backend, "GET", "/refused", "/x");
    refused["backend"][0]["host"] = json!([nobody().await]);
    let mut late = endpoint(&backend, "GET", "/late", "/never");
    late["timeout"] = "50ms".into();
    let running = Running::start(&file(vec![refused, late])).await;
    problem(&get(&running.url("/nothing")).await, 404, "unknown_path", "/nothing");
    let method = ask("POST", &running.url("/late"), &[], "").await;
    problem(&method, 405, "method_not_allowed", "/late");
    assert_eq!(method.header("allow"), "GET");
    problem(&get(&running.url("/refused")).await, 502, "bad_gateway", "/refused");
    problem(&get(&running.url("/late")).await, 504, "gateway_timeout", "/late");
}

#[tokio::test]
async fn the_original_answers_no_op_failures_with_an_empty_500() {
    let backend = Backend::start().await;
    let mut refused = endpoint(&backend, "GET", "/refused", "/x");
    refused["backend"][0]["host"] = json!([nobody().await]);
    let running =
        Running::start_with(&json!({"version": 3, "endpoints": [refused]}).to_string(), compatible()).await;
    let reply = get(&running.url("/refused")).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, ""));
    assert_eq!(reply.header("x-krakend-completed"), "false");
    assert_eq!(reply.header("x-krakend"), "Version 2.13.8");
    let unknown = ask("POST", &running.url("/refused"), &[], "").await;
    assert_eq!(
        (unknown.status, unknown.body.as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed")
    );
    assert_eq!(unknown.header("content-type"), "text/plain");
}

#[tokio::test]
async fn without_a_version_to_be_compatible_with_nothing_names_the_original() {
    let backend = Backend::start().await;
    let mut plain = endpoint(&backend, "GET", "/echo", "/param_forwarding/");
    plain["input_headers"] = json!([]);
    let running = Running::start(&json!({"version": 3, "endpoints": [plain]})).await;
    let reply = get(&running.url("/echo")).await;
    assert_eq!(reply.json()["headers"]["User-Agent"], json!(["Reservas-Gateway"]));
    assert!(reply.headers.keys().all(|name| !name.as_str().contains("krakend")));
    assert_eq!(reply.header("x-gateway-completed"), "false");
}

#[tokio::test]
async fn cross_origin_answers_can_be_read_even_when_they_are_errors() {
    let mut routes = file(vec![]);
    routes["extra_config"]["security/cors"] = json!({
        "allow_origins": ["https://app.example"], "allow_methods": ["GET"], "expose_headers": ["ETag"],
        "allow_credentials": true, "max_age": "1h",
    });
    let running = Running::start(&routes).await;
    let app = ("origin", "https://app.example");
    let reply = ask("GET", &running.url("/x"), &[app], "").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(reply.header("access-control-expose-headers"), "ETag");
    let preflight = |origin: &'static str, method: &'static str| {
        let url = running.url("/x");
        async move {
            ask("OPTIONS", &url, &[("origin", origin), ("access-control-request-method", method)], "").await
        }
    };
    let allowed = preflight("https://app.example", "GET").await;
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-methods")),
        (StatusCode::NO_CONTENT, "GET")
    );
    assert_eq!(
        (allowed.header("access-control-max-age"), allowed.header("access-control-allow-credentials")),
        ("3600", "true")
    );
    for refused in
        [preflight("https://evil.example", "GET").await, preflight("https://app.example", "DELETE").await]
    {
        assert_eq!(refused.status, StatusCode::NO_CONTENT);
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn the_clients_word_on_its_address_counts_only_from_a_trusted_proxy() {
    let backend = Backend::start().await;
    let routes = |trusted: Value| {
        let mut routes = file(vec![endpoint(&backend, "GET", "/echo", "/param_forwarding/")]);
        routes["extra_config"]["router"] = json!({"trusted_proxies": trusted});
        routes
    };
    let forwarded = [("x-forwarded-for", "6.6.6.6, 10.1.2.3")];
    let strict = Running::start(&routes(json!([]))).await;
    assert_eq!(ask("GET", &strict.url("/echo"), &forwarded, "").await.status, StatusCode::OK);
    let trusting = Running::start(&routes(json!(["127.0.0.0/8"]))).await;
    let reply = ask("GET", &trusting.url("/echo"), &forwarded, "").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (StatusCode::BAD_REQUEST, "bad X-Forwarded-For"),
        "10.1.2.3 is told"
    );
}

#[tokio::test]
async fn a_redirect_is_followed_or_passed_on() {
    let backend = Backend::start().await;
    let mut passed_on = endpoint(&backend, "GET", "/passed-on", "/redirect/");
    passed_on["backend"][0]["extra_config"] = json!({"backend/http/client": {"no_redirect": true}});
    let routes =
        json!({"version": 3, "endpoints": [passed_on, endpoint(&backend, "GET", "/followed", "/redirect/")]});
    let running = Running::start_with(&routes.to_string(), Options::default()).await;
    let reply = ask("GET", &running.url("/passed-on"), &[], "").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (302, "/param_forwarding/?"));
    assert_eq!(ask("GET", &running.url("/followed"), &[], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn redirects_lead_to_the_path_in_its_own_case() {
    let backend = Backend::start().await;
    let routes = json!({"version": 3, "endpoints": [
        endpoint(&backend, "GET", "/Thing/{id}", "/param_forwarding/{id}"),
        endpoint(&backend, "POST", "/Thing/{id}", "/param_forwarding/{id}"),
    ]});
    let running = Running::start_with(&routes.to_string(), Options::default()).await;
    for (method, path, status, location) in [
        ("GET", "/Thing/A/?q=1", 301, "/Thing/A?q=1"),
        ("POST", "/Thing/A/", 307, "/Thing/A"),
        ("GET", "/tHING/A", 301, "/Thing/A"),
        ("GET", "//thing//A", 301, "/Thing/A"),
    ] {
        let reply = ask(method, &running.url(path), &[], "").await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (status, location), "{method} {path}");
    }
}
