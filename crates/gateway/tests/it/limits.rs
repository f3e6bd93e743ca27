//! Rate limits: for everyone, for each client, and the cheap one before any token is checked.

use http::StatusCode;
use serde_json::json;

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};

#[tokio::test]
async fn each_client_has_its_own_burst() {
    let backend = Backend::start().await;
    let mut limited = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    let limit = json!({"client_max_rate": 1, "client_capacity": 2, "every": "1h", "strategy": "header", "key": "X-Client"});
    limited["extra_config"] = json!({"qos/ratelimit/router": limit});
    let running = Running::start(&file(vec![limited])).await;
    for client in ["a", "b"] {
        for expected in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
            let reply = ask("GET", &running.url("/x"), &[("x-client", client)], "").await;
            assert_eq!(reply.status, expected, "{client}");
            if expected == StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(reply.json()["code"], "too_many_requests");
                assert!(reply.header("retry-after").parse::<u64>().unwrap() > 3000);
                assert_eq!(reply.header("ratelimit-policy"), "\"client\";q=2;w=7200");
            }
        }
    }
}

#[tokio::test]
async fn everyone_together_is_limited_with_503() {
    let backend = Backend::start().await;
    let mut limited = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    limited["extra_config"] = json!({"qos/ratelimit/router": {"max_rate": 1, "capacity": 1, "every": "1h"}});
    let running = Running::start(&json!({"version": 3, "endpoints": [limited]})).await;
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    let refused = get(&running.url("/x")).await;
    assert_eq!((refused.status, refused.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert_eq!(refused.header("x-gateway-completed"), "");
}

#[tokio::test]
async fn the_cheap_limit_stands_before_the_token() {
    let backend = Backend::start().await;
    let mut guarded = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    guarded["extra_config"] = json!({"auth/validator": {
        "alg": "HS256", "jwk_url": format!("{}/jwk/symmetric", backend.url()), "disable_jwk_security": true,
    }});
    let mut routes = file(vec![guarded]);
    routes["extra_config"]["_reservas/ratelimit"] =
        json!({"client_max_rate": 1, "client_capacity": 1, "every": "1h"});
    let running = Running::start(&routes).await;
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::TOO_MANY_REQUESTS);
}
