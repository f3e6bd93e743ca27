//! The OpenAPI documents: as committed, and whole in every operation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::workspace::read;

#[test]
fn the_committed_documents_are_those_of_the_code() {
    for (name, text) in reservas::openapi::files().unwrap() {
        assert!(
            read(&format!("openapi/{name}")) == text,
            "openapi/{name} is out of date: run `make openapi`"
        );
    }
}

/// Whether a schema, or one that it refers to, has an example.
fn has_example(document: &Value, value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Object(fields) => fields.iter().any(|(key, value)| match key.as_str() {
            "example" | "examples" => true,
            "$ref" => {
                let target = value.as_str().unwrap().trim_start_matches('#');
                document.pointer(target).is_some_and(|target| has_example(document, target, depth - 1))
            }
            _ => has_example(document, value, depth - 1),
        }),
        Value::Array(items) => items.iter().any(|item| has_example(document, item, depth - 1)),
        _ => false,
    }
}

#[test]
fn every_operation_says_what_it_is_and_who_may() {
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let id =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no operation id"));
            assert!(ids.insert(id.to_owned()), "{id} is the id of two operations");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            assert!(operation["responses"]["default"].is_object(), "{name} does not say how it fails");
            let is_secured = operation["security"].is_array();
            assert_eq!(is_secured, operation["x-permission"].is_string(), "{name}");
            if operation["requestBody"].is_object() || operation["responses"]["200"]["content"].is_object() {
                assert!(has_example(&document, operation, 12), "{name} has no example");
            }
        }
    }
}

#[test]
fn every_permission_of_the_document_exists() {
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    let known: BTreeSet<_> = kernel::role::TABLE.iter().map(|(name, _)| *name).collect();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            if let Some(permission) = operation["x-permission"].as_str() {
                assert!(known.contains(permission), "{permission}");
            }
        }
    }
}
