//! Rate limits: for everyone, for each client, and the cheap one before any token is checked.

use http::StatusCode;
use serde_json::json;

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};
use crate::scripted::{Scripted, answer, at};

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

#[tokio::test]
async fn a_network_of_ipv6_is_one_client() {
    let backend = Scripted::start(|_, _| Box::pin(std::future::ready(answer(200, &[], "")))).await;
    let mut limited = at(&[backend.url()], "GET", "/x", json!({}));
    let limit = json!({"client_max_rate": 1, "client_capacity": 2, "every": "1h"});
    limited["extra_config"] = json!({"qos/ratelimit/router": limit});
    let mut routes = file(vec![limited]);
    routes["extra_config"]["router"]["trusted_proxies"] = json!(["127.0.0.1"]);
    let running = Running::start(&routes).await;
    let from = async |address: &str| {
        ask("GET", &running.url("/x"), &[("x-forwarded-for", address)], "").await.status
    };
    for address in ["2001:db8::1", "2001:db8::2"] {
        assert_eq!(from(address).await, StatusCode::OK);
    }
    assert_eq!(from("2001:db8::3").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(from("2001:db8:0:1::3").await, StatusCode::OK);
}

#[tokio::test]
async fn what_one_client_is_refused_is_left_to_the_others() {
    let backend = Backend::start().await;
    let mut limited = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    let limit = json!({
        "max_rate": 1, "capacity": 2, "client_max_rate": 1, "client_capacity": 1, "every": "1h",
        "strategy": "header", "key": "X-Client",
    });
    limited["extra_config"] = json!({"qos/ratelimit/router": limit});
    let running = Running::start(&file(vec![limited])).await;
    let by = async |client: &str| ask("GET", &running.url("/x"), &[("x-client", client)], "").await.status;
    assert_eq!(by("a").await, StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(by("a").await, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(by("b").await, StatusCode::OK);
    assert_eq!(by("c").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn who_shows_nothing_to_be_counted_by_is_refused() {
    let backend = Backend::start().await;
    let limited = |path: &str, strategy: &str, key: &str| {
        let mut limited = endpoint(&backend, "GET", path, "/param_forwarding/");
        let limit = json!({"client_max_rate": 1, "client_capacity": 1, "every": "1h", "strategy": strategy, "key": key});
        limited["extra_config"] = json!({"qos/ratelimit/router": limit});
        limited
    };
    let running = Running::start(&file(vec![
        limited("/header", "header", "X-Client"),
        limited("/ip", "ip", "X-Real-Ip"),
    ]))
    .await;
    assert_eq!(get(&running.url("/header")).await.status, StatusCode::TOO_MANY_REQUESTS);
    // Nobody but a trusted proxy says whose the request is.
    for (address, expected) in [("192.0.2.1", StatusCode::OK), ("192.0.2.2", StatusCode::TOO_MANY_REQUESTS)] {
        let reply = ask("GET", &running.url("/ip"), &[("x-real-ip", address)], "").await;
        assert_eq!(reply.status, expected, "{address}");
    }
}

#[tokio::test]
async fn the_cheap_limit_holds_for_documents_too_and_they_take_no_bodies() {
    let service = tower::service_fn(|_| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::new(bytes::Bytes::from(
            "page",
        ))))
    });
    let mut routes = file(vec![]);
    routes["extra_config"]["_reservas/ratelimit"] =
        json!({"client_max_rate": 1, "client_capacity": 2, "every": "1h"});
    let gateway = gateway::Gateway::parse(&routes.to_string(), gateway::Options::default()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::serve(gateway.with_local(&["/docs"], service), listener);
    let posted = ask("POST", &running.url("/docs"), &[], "a body").await;
    assert_eq!((posted.status, posted.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    assert_eq!(get(&running.url("/docs")).await.body, "page");
    assert_eq!(get(&running.url("/docs")).await.status, StatusCode::TOO_MANY_REQUESTS);
}
