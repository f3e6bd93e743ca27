//! Read-only mode: by the file, by a source that is asked, and by a backend that takes no writes.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::client::{Reply, ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};

/// A read, a write, and a write that goes on.
fn routes(backend: &Backend) -> Value {
    let mut login = endpoint(backend, "POST", "/login", "/param_forwarding/");
    login["extra_config"] = json!({"_reservas/read_only": {"allow": true}});
    file(vec![
        endpoint(backend, "GET", "/x", "/param_forwarding/"),
        endpoint(backend, "POST", "/x", "/writes"),
        login,
    ])
}

async fn write(running: &Running) -> Reply {
    ask("POST", &running.url("/x"), &[], "x").await
}

/// Writes until the answer has a status.
async fn until(running: &Running, status: u16) -> Reply {
    for _ in 0..1000 {
        let reply = write(running).await;
        if reply.status.as_u16() == status {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a write was never answered {status}");
}

#[tokio::test]
async fn the_file_stops_writes_and_nothing_else() {
    let backend = Backend::start().await;
    let mut file = routes(&backend);
    file["extra_config"]["_reservas/read_only"] = json!({"retry_after": 30});
    let running = Running::start(&file).await;
    let refused = write(&running).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    assert_eq!(refused.json()["code"], "read_only");
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    assert_eq!(ask("POST", &running.url("/login"), &[], "x").await.status, StatusCode::OK);
    assert_eq!(get(&running.url("/__health")).await.json()["read_only"], true);
}

#[tokio::test]
async fn a_source_turns_it_on_and_off_while_the_gateway_runs() {
    let backend = Backend::start().await;
    let mut file = routes(&backend);
    file["extra_config"]["_reservas/read_only"] =
        json!({"source": format!("{}/keys", backend.url()), "every": "100ms"});
    *backend.keys.lock().unwrap() = json!({"read_only": false});
    let running = Running::start(&file).await;
    assert_eq!(write(&running).await.status, StatusCode::OK);
    *backend.keys.lock().unwrap() = json!({"read_only": true, "retry_after": 90, "reason": "moving house"});
    let refused = until(&running, 503).await;
    assert_eq!(refused.header("retry-after"), "90");
    assert!(refused.json()["detail"].as_str().unwrap().contains("(moving house)"));
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    assert_eq!(ask("POST", &running.url("/login"), &[], "x").await.status, StatusCode::OK);
    assert_eq!(get(&running.url("/__health")).await.json()["read_only"], true);
    // A source that talks nonsense changes nothing.
    *backend.keys.lock().unwrap() = json!({"keys": []});
    let seen = backend.seen();
    while backend.seen() < seen + 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(write(&running).await.status, StatusCode::SERVICE_UNAVAILABLE);
    *backend.keys.lock().unwrap() = json!({"read_only": false});
    until(&running, 200).await;
    assert!(get(&running.url("/__health")).await.json().get("read_only").is_none());
}

#[tokio::test]
async fn a_backend_that_takes_no_writes_is_noticed_and_tried_again() {
    let (backend, other) = (Backend::start().await, Backend::start().await);
    let mut file = routes(&backend);
    let elsewhere = endpoint(&other, "POST", "/elsewhere", "/writes");
    file["endpoints"].as_array_mut().unwrap().push(elsewhere);
    let running = Running::start(&file).await;
    assert_eq!(write(&running).await.status, StatusCode::OK);
    backend.read_only.store(true, std::sync::atomic::Ordering::SeqCst);
    let told = write(&running).await;
    assert_eq!((told.status, told.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "read only"));
    // From here on the backend is spared, and the answer is the gateway's.
    let seen = backend.seen();
    let refused = write(&running).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    assert_eq!(refused.json()["code"], "read_only");
    assert_eq!(backend.seen(), seen);
    assert_eq!(get(&running.url("/__health")).await.json()["read_only"], true);
    assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    assert_eq!(ask("POST", &running.url("/elsewhere"), &[], "x").await.status, StatusCode::OK);
    // A write that goes on anyway says nothing of the others.
    assert_eq!(ask("POST", &running.url("/login"), &[], "x").await.status, StatusCode::OK);
    assert_eq!(write(&running).await.status, StatusCode::SERVICE_UNAVAILABLE);
    backend.read_only.store(false, std::sync::atomic::Ordering::SeqCst);
    until(&running, 200).await;
    assert!(get(&running.url("/__health")).await.json().get("read_only").is_none());
    assert_eq!(write(&running).await.status, StatusCode::OK);
}
