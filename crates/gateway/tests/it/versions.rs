//! Versions side by side: what is outdated says so, and is counted.

use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::get;
use crate::gateway::Running;
use crate::passing::{endpoint, file};

fn routes(backend: &Backend, deprecation: Value) -> Value {
    let mut old = endpoint(backend, "GET", "/api/v1/things/{id}", "/param_forwarding/v1/{id}");
    old["extra_config"] = json!({
        "_reservas/deprecation": deprecation,
        "qos/ratelimit/router": {"client_max_rate": 1, "every": "1h"},
    });
    file(vec![old, endpoint(backend, "GET", "/api/v2/things/{id}", "/param_forwarding/v2/{id}")])
}

#[tokio::test]
async fn a_second_version_stands_beside_one_that_tells_its_clients_to_move_on() {
    let backend = Backend::start().await;
    let routes = routes(
        &backend,
        json!({
            "since": "2026-11-01T00:00:00Z", "sunset": "2027-11-01T00:00:00Z",
            "link": "https://example.com/v2", "sunset_link": "/api/docs#v1",
        }),
    );
    let gateway = Gateway::parse(&routes.to_string(), Options::default()).unwrap();
    let running = Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let old = get(&running.url("/api/v1/things/7")).await;
    assert_eq!((old.status, &old.json()["path"]), (StatusCode::OK, &json!("/param_forwarding/v1/7")));
    assert_eq!(old.header("deprecation"), "@1793491200");
    assert_eq!(old.header("sunset"), "Mon, 01 Nov 2027 00:00:00 GMT");
    let links: Vec<_> = old.headers.get_all("link").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(links, ["<https://example.com/v2>; rel=\"deprecation\"", "</api/docs#v1>; rel=\"sunset\""]);
    let new = get(&running.url("/api/v2/things/7")).await;
    assert_eq!((new.status, &new.json()["path"]), (StatusCode::OK, &json!("/param_forwarding/v2/7")));
    assert_eq!((new.header("deprecation"), new.header("link")), ("", ""));

    // What the gateway refuses by itself on that route says so as well.
    let refused = get(&running.url("/api/v1/things/7")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("deprecation"), "@1793491200");
    let metrics = gateway.metrics();
    let counted = "http_server_deprecated_requests_total{http_request_method=\"GET\",http_route=\"/api/v1/things/{id}\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(!metrics.contains("deprecated_requests_total{http_request_method=\"GET\",http_route=\"/api/v2"));
}

#[tokio::test]
async fn what_is_wrong_with_it_is_named() {
    let backend = Backend::start().await;
    let wrong = [
        (json!({}), "since"),
        (json!({"since": "soon"}), "`soon`"),
        (json!({"since": "2026-11-01T00:00:00Z", "sunset": "2026-10-01T00:00:00Z"}), "before"),
        (json!({"since": "2026-11-01T00:00:00Z", "link": "a>b"}), "link"),
        (json!({"since": "2026-11-01T00:00:00Z", "until": "x"}), "until"),
    ];
    for (deprecation, word) in wrong {
        let text = routes(&backend, deprecation).to_string();
        let errors = Gateway::parse(&text, Options::default()).err().unwrap().to_string();
        assert!(errors.contains(word), "{errors}");
    }
}
