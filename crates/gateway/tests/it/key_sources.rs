//! Where keys come from when it is slow, silent or gone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::client::ask;
use crate::gateway::Running;
use crate::passing::file;
use crate::scripted::{Scripted, answer, at};
use crate::tokens::{Signer, seconds_from_now};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn guarded(backend: &Scripted) -> Value {
    let mut guarded = at(&[backend.url()], "GET", "/me", json!({}));
    guarded["extra_config"] = json!({"auth/validator": {
        "alg": "EdDSA", "jwk_url": format!("{}/keys", backend.url()), "disable_jwk_security": true, "cache": true,
    }});
    guarded
}

async fn with(running: &Running, signer: &Signer) -> StatusCode {
    let bearer = format!("Bearer {}", signer.token(&json!({"sub": "u", "exp": seconds_from_now(600)})));
    ask("GET", &running.url("/me"), &[("authorization", &bearer)], "").await.status
}

#[tokio::test]
async fn a_source_that_hangs_is_asked_once_and_holds_up_no_request_beyond_its_time() {
    let (known, rotated) = (Signer::new("k1", 1), Signer::new("k2", 2));
    let (hangs, release) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
    let keys = json!({"keys": [known.jwk()]}).to_string();
    let later = json!({"keys": [known.jwk(), rotated.jwk()]}).to_string();
    let (hanging, released) = (Arc::clone(&hangs), Arc::clone(&release));
    let backend = Scripted::start(move |path, _| {
        let (keys, later, released) = (keys.clone(), later.clone(), Arc::clone(&released));
        let hangs = path == "/keys" && hanging.load(Ordering::SeqCst);
        Box::pin(async move {
            if hangs {
                released.acquire().await.unwrap().forget();
                return answer(200, &[], later);
            }
            answer(200, &[], keys)
        })
    })
    .await;
    let mut routes = file(vec![guarded(&backend)]);
    routes["timeout"] = "100ms".into();
    let running = Running::start(&routes).await;
    assert_eq!(with(&running, &known).await, StatusCode::OK);
    hangs.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(with(&running, &Signer::new("made up", 3)).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(with(&running, &known).await, StatusCode::OK, "nobody else waits");
    }
    release.add_permits(1);
    // What the others did not wait for arrives all the same.
    let arrives = async { while with(&running, &rotated).await != StatusCode::OK {} };
    tokio::time::timeout(PATIENCE, arrives).await.expect("the new key is known");
    for _ in 0..3 {
        assert_eq!(with(&running, &Signer::new("made up", 3)).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(backend.seen("/keys"), 2, "at the beginning, and once for all keys that are not known");
}

#[tokio::test]
async fn keys_outlive_the_route_file() {
    let (known, gone) = (Signer::new("k1", 1), Arc::new(AtomicBool::new(false)));
    let keys = json!({"keys": [known.jwk()]}).to_string();
    let is_gone = Arc::clone(&gone);
    let backend = Scripted::start(move |path, _| {
        let status = if path == "/keys" && is_gone.load(Ordering::SeqCst) { 500 } else { 200 };
        let keys = keys.clone();
        Box::pin(std::future::ready(answer(status, &[], keys)))
    })
    .await;
    let mut routes = file(vec![guarded(&backend)]);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("key_sources.json");
    std::fs::write(&path, routes.to_string()).unwrap();
    let gateway = Gateway::load(&path, Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::serve(gateway.clone(), listener);
    assert_eq!(with(&running, &known).await, StatusCode::OK);
    gone.store(true, Ordering::SeqCst);
    for cache_duration in [900, 60] {
        routes["endpoints"][0]["extra_config"]["auth/validator"]["cache_duration"] = cache_duration.into();
        std::fs::write(&path, routes.to_string()).unwrap();
        gateway.reload(&path).unwrap();
        assert_eq!(with(&running, &known).await, StatusCode::OK, "kept for {cache_duration} s");
    }
    routes["client_tls"] = json!({"allow_insecure_connections": true});
    std::fs::write(&path, routes.to_string()).unwrap();
    gateway.reload(&path).unwrap();
    let unknown = with(&running, &known).await;
    assert_eq!(unknown, StatusCode::SERVICE_UNAVAILABLE, "keys that came under other rules are not trusted");
}
