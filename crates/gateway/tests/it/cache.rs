//! Answers that are kept: for how long, for whom, and asked for once.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway::{Gateway, Options};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Reply, ask, get};
use crate::gateway::Running;
use crate::passing::file;
use crate::scripted::{Answer, Scripted, answer, at};
use crate::tokens::{Signer, seconds_from_now};

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

/// A backend that says by the path how its answers may be kept.
fn script(path: &str, headers: &HeaderMap) -> Answer {
    let who = text(headers, "authorization");
    match path {
        "/etag" if text(headers, "if-none-match") == "\"1\"" => answer(304, &[("x-news", "1")], ""),
        "/etag" => answer(200, &[("cache-control", "no-cache"), ("etag", "\"1\"")], "tagged"),
        "/fresh" => answer(200, &[("cache-control", "max-age=600"), ("etag", "\"2\"")], "fresh"),
        "/vary" => {
            let language = text(headers, "accept-language");
            answer(200, &[("cache-control", "max-age=600"), ("vary", "Accept-Language")], language)
        }
        "/some" if text(headers, "accept-language") == "xx" => {
            answer(400, &[("vary", "Accept-Language")], "")
        }
        "/some" => {
            answer(200, &[("cache-control", "public, max-age=600"), ("vary", "Accept-Language")], "kept")
        }
        "/token" => answer(200, &[("cache-control", "max-age=600")], text(headers, "x-token")),
        "/public" => answer(200, &[("cache-control", "public, max-age=600")], who),
        "/mine" => answer(200, &[("cache-control", "max-age=600")], who),
        "/private" => answer(200, &[("cache-control", "private, max-age=600")], who),
        "/no-store" => answer(200, &[("cache-control", "no-store")], who),
        "/cookie" => answer(200, &[("cache-control", "public, max-age=600"), ("set-cookie", "a=1")], who),
        "/large" => answer(200, &[("cache-control", "max-age=600")], "x".repeat(5000)),
        "/json" => answer(200, &[("cache-control", "max-age=600")], r#"{"b":1.0,"a":{"c":2}}"#),
        _ => answer(404, &[], ""),
    }
}

async fn start(paths: &[&str], rules: Value) -> (Scripted, Running) {
    let backend = Scripted::start(|path, headers| Box::pin(std::future::ready(script(path, headers)))).await;
    let cached = |path: &&str| at(&[backend.url()], "GET", path, json!({"qos/http-cache": rules}));
    let running = Running::start(&file(paths.iter().map(cached).collect())).await;
    (backend, running)
}

async fn with(running: &Running, path: &str, name: &str, value: &str) -> Reply {
    ask("GET", &running.url(path), &[(name, value)], "").await
}

#[tokio::test]
async fn a_fresh_answer_is_asked_for_once_and_tells_its_age() {
    let (backend, running) = start(&["/fresh"], json!({})).await;
    assert_eq!(get(&running.url("/fresh")).await.body, "fresh");
    let kept = get(&running.url("/fresh")).await;
    assert_eq!((kept.body.as_str(), kept.header("etag")), ("fresh", "\"2\""));
    assert!(kept.header("age").parse::<u64>().is_ok());
    let known = with(&running, "/fresh", "if-none-match", "W/\"2\"").await;
    assert_eq!((known.status, known.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(backend.seen("/fresh"), 1);
    assert_eq!(with(&running, "/fresh", "cache-control", "no-cache").await.body, "fresh");
    assert_eq!(with(&running, "/fresh", "cache-control", "no-store").await.body, "fresh");
    assert_eq!(backend.seen("/fresh"), 3);
}

#[tokio::test]
async fn a_stale_answer_is_asked_for_by_its_tag() {
    let (backend, running) = start(&["/etag"], json!({})).await;
    assert_eq!(get(&running.url("/etag")).await.body, "tagged");
    let again = get(&running.url("/etag")).await;
    assert_eq!((again.status, again.body.as_str(), again.header("x-news")), (StatusCode::OK, "tagged", "1"));
    assert_eq!((backend.seen("/etag"), text(&backend.last(), "if-none-match")), (2, "\"1\"".into()));
}

#[tokio::test]
async fn nobody_is_shown_what_was_made_for_another() {
    let (backend, running) =
        start(&["/mine", "/public", "/private", "/no-store", "/cookie", "/vary"], json!({"shared": true}))
            .await;
    // Who asks, what the others are shown, and how often the backend was asked.
    for (path, shown, asked) in [
        ("/mine", ["ada", "bob", "ada"], 2),
        ("/public", ["ada", "ada", "ada"], 1),
        ("/private", ["ada", "bob", "ada"], 3),
        ("/no-store", ["ada", "bob", "ada"], 3),
        ("/cookie", ["ada", "bob", "ada"], 3),
    ] {
        for (who, shown) in ["ada", "bob", "ada"].into_iter().zip(shown) {
            assert_eq!(with(&running, path, "authorization", who).await.body, shown, "{path} for {who}");
        }
        assert_eq!(backend.seen(path), asked, "{path}");
    }
    assert_eq!(with(&running, "/mine", "x-nobody", "1").await.body, "", "nor is somebody without a name");
    for language in ["de", "en", "de", "en"] {
        assert_eq!(with(&running, "/vary", "accept-language", language).await.body, language);
    }
    assert_eq!(backend.seen("/vary"), 2);
}

#[tokio::test]
async fn what_is_too_large_passes_through_whole() {
    let (backend, running) = start(&["/large", "/fresh"], json!({"max_size": 10_000, "max_items": 10})).await;
    for _ in 0..2 {
        assert_eq!(get(&running.url("/large")).await.body.len(), 5000);
        assert_eq!(get(&running.url("/fresh")).await.body, "fresh");
    }
    assert_eq!((backend.seen("/large"), backend.seen("/fresh")), (2, 1));
}

#[tokio::test]
async fn a_stampede_asks_once() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let backend = Scripted::start(move |_, _| {
        let closed = Arc::clone(&closed);
        Box::pin(async move {
            closed.acquire().await.unwrap().forget();
            answer(200, &[("cache-control", "max-age=600")], "slow")
        })
    })
    .await;
    let slow = at(&[backend.url()], "GET", "/slow", json!({"qos/http-cache": {}}));
    let gateway = Gateway::parse(&file(vec![slow]).to_string(), Options::default()).unwrap();
    let running = Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = running.url("/slow");
    // The one who asks goes away: another takes its place.
    let given_up = tokio::spawn({
        let url = url.clone();
        async move { get(&url).await }
    });
    backend.until_seen("/slow", 1).await;
    given_up.abort();
    let opened = async {
        backend.until_seen("/slow", 2).await;
        // One for the call that was given up, should it still wait.
        gate.add_permits(2);
    };
    let (replies, ()) = tokio::join!(join_all((0..30).map(|_| get(&url))), opened);
    assert!(replies.iter().all(|reply| reply.body == "slow"));
    assert_eq!(backend.seen("/slow"), 2);
    assert!(
        gateway.metrics().contains("gateway_cache_requests_total{result=\"hit\"} 29"),
        "{}",
        gateway.metrics()
    );
}

#[tokio::test]
async fn what_a_kept_answer_becomes_is_kept_too() {
    let backend = Scripted::start(|path, headers| Box::pin(std::future::ready(script(path, headers)))).await;
    let part = |group: Value| {
        json!({"host": [backend.url()], "url_pattern": "/json", "allow": ["a.c", "b"], "group": group,
               "extra_config": {"qos/http-cache": {}}})
    };
    let routes = json!({"version": 3, "endpoints": [
        {"endpoint": "/one", "backend": [part("g".into())],
         "extra_config": {"proxy": {"static": {"strategy": "always", "data": {"s": true}}}}},
        {"endpoint": "/two", "backend": [part("g".into()), part("h".into())]},
    ]});
    let running = Running::start(&routes).await;
    for (path, body, asked) in [
        ("/one", r#"{"g":{"a":{"c":2},"b":1.0},"s":true}"#, 1),
        ("/two", r#"{"g":{"a":{"c":2},"b":1.0},"h":{"a":{"c":2},"b":1.0}}"#, 3),
    ] {
        for _ in 0..3 {
            let reply = get(&running.url(path)).await;
            assert_eq!((reply.body.as_str(), reply.header("x-gateway-completed")), (body, "true"));
        }
        assert_eq!(backend.seen("/json"), asked, "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_kept_leaves_those_to_others() {
    let (backend, running) = start(&["/some"], json!({})).await;
    for (language, seen) in [("en", 1), ("en", 1), ("xx", 2), ("en", 2), ("xx", 3)] {
        with(&running, "/some", "accept-language", language).await;
        assert_eq!(backend.seen("/some"), seen, "{language}");
    }
}

#[tokio::test]
async fn a_token_in_a_header_of_its_own_tells_who_asks() {
    let signer = Signer::new("one", 1);
    let backend = Scripted::start(move |path, headers| {
        let keys = json!({"keys": [Signer::new("one", 1).jwk()]});
        Box::pin(std::future::ready(match path {
            "/jwk" => answer(200, &[("content-type", "application/json")], keys.to_string()),
            _ => script(path, headers),
        }))
    })
    .await;
    let mut guarded = at(&[backend.url()], "GET", "/token", json!({"qos/http-cache": {}}));
    guarded["extra_config"] = json!({"auth/validator": {
        "alg": "EdDSA", "jwk_url": format!("{}/jwk", backend.url()), "disable_jwk_security": true,
        "auth_header_name": "X-Token",
    }});
    let running = Running::start(&file(vec![guarded])).await;
    for name in ["ada", "bob", "ada"] {
        let token = format!("Bearer {}", signer.token(&json!({"sub": name, "exp": seconds_from_now(600)})));
        let reply = with(&running, "/token", "x-token", &token).await;
        assert_eq!((reply.status, reply.body), (StatusCode::OK, token), "{name}");
    }
    assert_eq!(backend.seen("/token"), 2, "each is kept for whom it was made");
}
