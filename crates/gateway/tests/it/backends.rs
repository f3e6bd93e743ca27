//! What an endpoint does to its backends: in turn, copies, breakers, limits, changes; and a new file while it runs.

use std::path::Path;
use std::sync::atomic::Ordering;

use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};

#[tokio::test]
async fn a_breaker_counts_5xx_where_the_file_says_so() {
    let backend = Backend::start().await;
    let mut guarded = endpoint(&backend, "GET", "/switch", "/switch");
    guarded["backend"][0]["extra_config"] =
        json!({"_reservas/circuit-breaker": {"max_errors": 1, "timeout": 600, "interval": 60}});
    let running = Running::start(&file(vec![guarded])).await;
    backend.status.store(500, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(get(&running.url("/switch")).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let open = get(&running.url("/switch")).await;
    assert_eq!(
        (open.status, open.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("service_unavailable"))
    );
    assert_eq!(backend.seen(), 2);
}

#[tokio::test]
async fn hosts_are_asked_in_turn_and_shadows_too() {
    let (first, second, shadow) = (Backend::start().await, Backend::start().await, Backend::start().await);
    let mut routes = endpoint(&first, "POST", "/turn", "/length");
    routes["backend"][0]["host"] = json!([first.url(), second.url()]);
    routes["backend"].as_array_mut().unwrap().push(json!({
        "host": [shadow.url()], "url_pattern": "/length", "encoding": "no-op", "extra_config": {"proxy": {"shadow": true}},
    }));
    let running = Running::start(&file(vec![routes])).await;
    for _ in 0..4 {
        assert_eq!(ask("POST", &running.url("/turn"), &[], "abc").await.body, "3");
    }
    assert_eq!((first.seen(), second.seen()), (2, 2));
    while shadow.seen() < 4 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_backend_is_not_asked_more_often_than_it_bears() {
    let backend = Backend::start().await;
    let mut limited = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    limited["backend"][0]["extra_config"] =
        json!({"qos/ratelimit/proxy": {"max_rate": 1, "capacity": 1, "every": "1h"}});
    let running = Running::start(&json!({"version": 3, "endpoints": [limited]})).await;
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(backend.seen(), 1);
}

#[tokio::test]
async fn requests_and_answers_are_changed_as_the_file_says() {
    let backend = Backend::start().await;
    let mut changed = endpoint(&backend, "GET", "/x", "/param_forwarding/?kept=1&q=old");
    changed["backend"][0]["extra_config"] = json!({"modifier/martian": {"fifo.Group": {
        "scope": ["request", "response"], "aggregateErrors": true,
        "modifiers": [
            {"header.Modifier": {"scope": ["request", "response"], "name": "X-Set", "value": "1"}},
            {"header.Append": {"scope": ["request"], "name": "X-Set", "value": "2"}},
            {"header.Copy": {"scope": ["request"], "from": "X-Client", "to": "X-Copy"}},
            {"header.Blacklist": {"scope": ["request", "response"], "names": ["X-Client", "Set-Cookie"]}},
            {"querystring.Modifier": {"scope": ["request"], "name": "q", "value": "a b"}},
            {"status.Modifier": {"scope": ["response"], "statusCode": 418}},
        ],
    }}});
    let running = Running::start(&file(vec![changed])).await;
    let reply = ask("GET", &running.url("/x"), &[("x-client", "me")], "").await;
    assert_eq!(
        (reply.status, reply.header("x-set"), reply.header("set-cookie")),
        (StatusCode::IM_A_TEAPOT, "1", "")
    );
    let told = reply.json();
    assert_eq!(told["headers"]["X-Set"], json!(["1", "2"]));
    assert_eq!(told["headers"]["X-Copy"], json!(["me"]));
    assert!(told["headers"].get("X-Client").is_none());
    assert_eq!(told["query"], json!({"kept": ["1"], "q": ["a b"]}));
}

#[tokio::test]
async fn a_new_file_is_taken_while_running_and_a_bad_one_is_not() {
    let backend = Backend::start().await;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reload.json");
    let write = |path_served: &str| {
        let text = file(vec![endpoint(&backend, "GET", path_served, "/param_forwarding/")]).to_string();
        std::fs::write(&path, text).unwrap();
    };
    write("/old");
    let gateway = Gateway::load(&path, Options::default()).unwrap();
    let running = Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    assert_eq!(get(&running.url("/old")).await.status, StatusCode::OK);
    write("/new");
    gateway.reload(&path).unwrap();
    assert_eq!(get(&running.url("/old")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&running.url("/new")).await.status, StatusCode::OK);
    std::fs::write(&path, "{\"version\": 4}").unwrap();
    assert_eq!(gateway.reload(&path).unwrap_err().to_string(), "1:13 version: must be 3");
    assert_eq!(get(&running.url("/new")).await.status, StatusCode::OK);
    assert!(
        gateway.metrics().contains("http_route=\"/new\",http_response_status_code=\"200\"} 2"),
        "{}",
        gateway.metrics()
    );
}
