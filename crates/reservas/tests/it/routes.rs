//! The route file and the OpenAPI documents: no operation without a route, no route without an operation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::workspace::read;

#[test]
fn routes_and_operations_are_the_same() {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let routes: BTreeSet<_> = file["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| {
            let method = route["method"].as_str().unwrap_or("GET");
            format!("{method} {}", route["endpoint"].as_str().unwrap())
        })
        .collect();
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    let operations: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path, method)))
        .map(|(path, method)| format!("{} {path}", method.to_uppercase()))
        .collect();
    assert_eq!(routes, operations);
}

#[test]
fn all_but_public_operations_are_validated_and_pass_unchanged() {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    for route in file["endpoints"].as_array().unwrap() {
        let (path, method) = (route["endpoint"].as_str().unwrap(), route["method"].as_str().unwrap_or("GET"));
        let operation = &document["paths"][path][method.to_lowercase()];
        let is_secured = operation["x-permission"].is_string();
        assert_eq!(route["extra_config"]["auth/validator"].is_object(), is_secured, "{method} {path}");
        if method != "GET" {
            assert_eq!(route["output_encoding"], "no-op", "{method} {path}");
        }
    }
}
