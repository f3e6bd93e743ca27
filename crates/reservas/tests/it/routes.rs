//! The route file and the OpenAPI documents: no operation without a route, no route without an operation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::workspace::read;

#[test]
fn routes_and_operations_are_the_same() {
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    let operations: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path, method)))
        .map(|(path, method)| format!("{} {path}", method.to_uppercase()))
        .collect();
    assert_eq!(names(&routes()), operations);
}

#[test]
fn pages_of_other_origins_may_send_every_header_that_an_operation_takes() {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let allowed = file["extra_config"]["security/cors"]["allow_headers"].as_array().unwrap();
    let document = serde_json::to_value(reservas::openapi::whole()).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let named = operations.flat_map(|operation| operation["parameters"].as_array().into_iter().flatten());
    let names: BTreeSet<_> =
        named.filter(|one| one["in"] == "header").filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains("Last-Event-ID"));
    for name in names {
        assert!(allowed.iter().any(|one| one == name), "{name}");
    }
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

/// The routes of the file: those of the OpenAPI documents, and those of SCIM, which describes itself (`/scim/v2/Schemas`).
fn all_routes() -> (Vec<Value>, Vec<Value>) {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let routes = file["endpoints"].as_array().unwrap().clone();
    routes.into_iter().partition(|route| !route["endpoint"].as_str().unwrap().starts_with("/scim/v2/"))
}

fn routes() -> Vec<Value> {
    all_routes().0
}

fn names(routes: &[Value]) -> BTreeSet<String> {
    let name = |route: &Value| {
        let method = route["method"].as_str().unwrap_or("GET");
        format!("{method} {}", route["endpoint"].as_str().unwrap())
    };
    routes.iter().map(name).collect()
}

#[test]
fn scim_has_its_routes_and_each_is_the_user_services_own() {
    let routes = all_routes().1;
    let changed = ["PUT", "PATCH", "DELETE"];
    let mut expected =
        BTreeSet::from(["GET /scim/v2/ServiceProviderConfig", "POST /scim/v2/Bulk"].map(str::to_owned));
    for kind in ["ResourceTypes", "Schemas"] {
        expected.extend([format!("GET /scim/v2/{kind}"), format!("GET /scim/v2/{kind}/{{id}}")]);
    }
    for kind in ["Users", "Groups"] {
        expected.extend(["GET", "POST"].map(|method| format!("{method} /scim/v2/{kind}")));
        expected
            .extend(["GET"].iter().chain(&changed).map(|method| format!("{method} /scim/v2/{kind}/{{id}}")));
    }
    assert_eq!(names(&routes), expected);
    for route in routes {
        assert_eq!(route["output_encoding"], "no-op", "{route}");
        let backend = &route["backend"][0];
        assert_eq!(
            (&backend["host"][0], &backend["url_pattern"]),
            (&"http://users:8081".into(), &route["endpoint"])
        );
        assert_eq!(backend["method"], route["method"]);
    }
}

/// The operations of each service by its name.
fn operations() -> Vec<(&'static str, Value)> {
    let documents = reservas::openapi::services();
    documents.into_iter().map(|(name, document)| (name, serde_json::to_value(document).unwrap())).collect()
}

#[test]
fn every_backend_is_the_service_whose_operation_is_asked() {
    let services = operations();
    for route in routes() {
        let (path, method) = (route["endpoint"].as_str().unwrap(), route["method"].as_str().unwrap());
        let backends = route["backend"].as_array().unwrap();
        let merges = route["output_encoding"] != "no-op";
        for backend in backends {
            let host = backend["host"][0].as_str().unwrap();
            let service = host.trim_start_matches("http://").split(':').next().unwrap();
            let asked = backend["url_pattern"].as_str().unwrap().split('?').next().unwrap();
            let (_, document) = services.iter().find(|(name, _)| *name == service).unwrap();
            let operation = &document["paths"][asked][method.to_lowercase()];
            assert!(operation.is_object(), "{method} {path}: {service} has no {asked}");
            assert_eq!(backend["method"], method, "{method} {path}");
            if !merges {
                assert_eq!(
                    (asked, backends.len()),
                    (path, 1),
                    "a route that merges nothing is the operation itself"
                );
            }
            // Every parameter that the file writes down exists.
            for pair in
                backend["url_pattern"].as_str().unwrap().split('?').skip(1).flat_map(|query| query.split('&'))
            {
                let name = pair.split('=').next().unwrap();
                let known = operation["parameters"].as_array().unwrap().iter();
                assert!(known.clone().any(|one| one["name"] == name), "{asked} has no parameter {name}");
            }
        }
        if merges {
            assert_eq!(method, "GET");
            assert_eq!(
                route["input_headers"],
                serde_json::json!(["Authorization", "Accept-Language"]),
                "{path}"
            );
        }
    }
}

#[test]
fn pages_of_other_origins_may_use_every_method_that_a_route_has() {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let methods: BTreeSet<_> = routes().iter().map(|route| route["method"].to_string()).collect();
    let allowed = file["extra_config"]["security/cors"]["allow_methods"].as_array().unwrap();
    assert_eq!(methods, allowed.iter().map(Value::to_string).collect());
}

#[test]
fn what_the_gateway_puts_together_is_what_its_document_says() {
    let document = serde_json::to_value(reservas::openapi::gateway::openapi()).unwrap();
    let merging: Vec<_> = routes().into_iter().filter(|route| route["output_encoding"] != "no-op").collect();
    assert_eq!(merging.len(), document["paths"].as_object().unwrap().len());
    for route in merging {
        let path = route["endpoint"].as_str().unwrap();
        let reference = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            ["$ref"];
        let schema = document.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap();
        let told: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        let name = |value: &Value| value.as_str().unwrap().to_owned();
        let shown: BTreeSet<_> = route["backend"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|backend| match (&backend["group"], &backend["mapping"]) {
                (Value::String(group), _) => vec![group.clone()],
                (_, Value::Object(mapping)) => mapping.values().map(name).collect(),
                _ => backend["allow"].as_array().unwrap().iter().map(name).collect(),
            })
            .collect();
        assert_eq!(told, shown, "{path}");
    }
}

#[test]
fn who_signs_in_or_registers_is_limited_more_strictly_and_by_all_gateways_together() {
    let file: Value = serde_json::from_str(&read("deploy/gateway.json")).unwrap();
    let seconds = |every: &Value| match every.as_str().unwrap() {
        "1s" => 1.0,
        "1m" => 60.0,
        other => panic!("{other}"),
    };
    let rate = |limit: &Value| limit["client_max_rate"].as_f64().unwrap() / seconds(&limit["every"]);
    let all = rate(&file["extra_config"]["_reservas/ratelimit"]);
    let strict = [
        "auth/login",
        "auth/second-factor",
        "auth/step-up",
        "auth/register",
        "auth/verify-email",
        "auth/resend-verification",
        "auth/accept-invitation",
        "auth/confirm-email",
        "auth/forgot-password",
        "auth/reset-password",
        "me/password",
        "me/email",
        "me/second-factor/totp/confirm",
        "me/second-factor/disable",
    ];
    for path in strict.map(|name| format!("/api/v1/{name}")) {
        let route = routes().into_iter().find(|route| route["endpoint"] == path).unwrap();
        let limit = &route["extra_config"]["qos/ratelimit/router"];
        assert!(rate(limit) <= all / 100.0, "{path}");
        assert_eq!(limit["strategy"], "ip", "{path}");
        let own = &route["extra_config"]["_reservas/ratelimit"];
        assert_eq!(*own, serde_json::json!({ "shared": true, "headers": true }), "{path}");
    }
}

#[test]
fn what_goes_on_in_read_only_mode_is_signing_in_and_out_and_what_writes_nothing() {
    let allowed: BTreeSet<_> = routes()
        .into_iter()
        .filter(|route| route["extra_config"]["_reservas/read_only"]["allow"] == true)
        .map(|route| route["endpoint"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "/api/v1/api-keys/{id}",
        "/api/v1/auth/login",
        "/api/v1/auth/logout",
        "/api/v1/auth/passkey",
        "/api/v1/auth/passkey/options",
        "/api/v1/auth/refresh",
        "/api/v1/auth/second-factor",
        "/api/v1/auth/sso/token",
        "/api/v1/auth/step-up",
        "/api/v1/auth/step-up/options",
        "/api/v1/auth/token",
        "/api/v1/me/sessions",
        "/api/v1/me/sessions/{id}",
        "/api/v1/me/single-sign-on/step-up",
        "/api/v1/policies/dry-run",
        "/api/v1/series/preview",
    ];
    assert_eq!(allowed, expected.map(str::to_owned).into());
}
