//! The route file changes while requests run: none fails, and a wrong file changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::get;
use crate::gateway::Running;

fn routes(backend: &Backend, other: &str) -> String {
    let to = |path: &str| {
        json!({"endpoint": path, "output_encoding": "no-op",
               "backend": [{"host": [backend.url()], "url_pattern": "/param_forwarding/x"}]})
    };
    json!({"version": 3, "timeout": "10s", "endpoints": [to("/always"), to(other)]}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn reloading_under_load_fails_no_request_and_a_wrong_file_changes_nothing() {
    let backend = Backend::start().await;
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("reloading.json");
    std::fs::write(&file, routes(&backend, "/before")).unwrap();
    let gateway = Gateway::load(&file, Options::default()).unwrap();
    let running = Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (stop, answered, url) = (Arc::clone(&stop), Arc::clone(&answered), running.url("/always"));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    assert_eq!(get(&url).await.status, StatusCode::OK);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for turn in 0..30 {
        let seen = answered.load(Ordering::SeqCst);
        let other = if turn % 2 == 0 { "/after" } else { "/before" };
        std::fs::write(&file, routes(&backend, other)).unwrap();
        gateway.reload(&file).unwrap();
        assert_eq!(get(&running.url(other)).await.status, StatusCode::OK);
        std::fs::write(&file, "{\"version\": 3, \"endpoints\": [{}]}").unwrap();
        let told: Vec<String> =
            gateway.reload(&file).unwrap_err().0.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|error| error.starts_with("1:30 endpoints[0]")), "{told:?}");
        assert_eq!(get(&running.url(other)).await.status, StatusCode::OK, "the old file holds");
        while answered.load(Ordering::SeqCst) < seen + 8 {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
}
