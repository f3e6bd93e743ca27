//! Limits that gateways share in Redis: one bucket for all, never an outage, and what answers say of it.

use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::{Reply, ask, get};
use crate::gateway::Running;
use crate::passing::{endpoint, file};
use crate::redis::Redis;

/// Three requests an hour for each client, in one bucket for all gateways.
fn limited(backend: &Backend, shared: bool) -> Value {
    let mut limited = endpoint(backend, "GET", "/x", "/param_forwarding/");
    limited["extra_config"] = json!({
        "qos/ratelimit/router": {"client_max_rate": 3, "every": "1h", "strategy": "header", "key": "X-Client"},
        "_reservas/ratelimit": {"shared": shared, "headers": true},
    });
    file(vec![limited])
}

async fn start(file: &Value, redis: &Redis) -> Running {
    let options = Options { redis_url: Some(redis.url()), ..Options::default() };
    Running::start_with(&file.to_string(), options).await
}

async fn ask_as(running: &Running, client: &str) -> Reply {
    ask("GET", &running.url("/x"), &[("x-client", client)], "").await
}

/// Asks until the gateway says how much is left as wanted: what follows a failure of Redis follows soon, not at once.
async fn until(running: &Running, client: &str, wanted: &str) {
    for _ in 0..400 {
        if ask_as(running, client).await.header("ratelimit").contains(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{client} never had {wanted}");
}

#[tokio::test]
async fn two_gateways_share_one_bucket() {
    let (backend, redis) = (Backend::start().await, Redis::start().await);
    let file = limited(&backend, true);
    let (one, two) = (start(&file, &redis).await, start(&file, &redis).await);
    for (gateway, left) in [(&one, 2), (&two, 1), (&one, 0)] {
        let reply = ask_as(gateway, "a").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("ratelimit-policy"), "\"client\";q=3;w=3600");
        assert!(reply.header("ratelimit").starts_with(&format!("\"client\";r={left};t=")));
    }
    for gateway in [&one, &two] {
        let refused = ask_as(gateway, "a").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.json()["code"], "too_many_requests");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1100..=1200).contains(&wait), "a third of an hour: {wait}");
    }
    assert_eq!(ask_as(&two, "b").await.status, StatusCode::OK, "each client has its own");
}

#[tokio::test]
async fn what_is_not_said_to_be_shared_is_each_gateways_own() {
    let (backend, redis) = (Backend::start().await, Redis::start().await);
    let file = limited(&backend, false);
    for _ in 0..2 {
        let gateway = start(&file, &redis).await;
        for expected in [200, 200, 200, 429] {
            assert_eq!(ask_as(&gateway, "a").await.status.as_u16(), expected);
        }
    }
}

#[tokio::test]
async fn a_redis_that_dies_takes_nobody_down_and_is_used_again_when_it_is_back() {
    let (backend, mut redis) = (Backend::start().await, Redis::start().await);
    let file = limited(&backend, true);
    let (one, two) = (start(&file, &redis).await, start(&file, &redis).await);
    assert_eq!(ask_as(&one, "a").await.status, StatusCode::OK);
    redis.kill().await;
    // Each has a bucket of its own now, of the same size: limited, never refused for the lack of Redis.
    for gateway in [&one, &two] {
        for expected in [200, 200, 200, 429] {
            assert_eq!(ask_as(gateway, "a").await.status.as_u16(), expected);
        }
    }
    redis.restart().await;
    // A client without a local bucket that was used: what is left tells that both count in one again.
    until(&one, "c1", "r=2").await;
    let mut client = 2;
    loop {
        let name = format!("c{client}");
        until(&one, &name, "r=2").await;
        if ask_as(&two, &name).await.header("ratelimit").contains("r=1") {
            break;
        }
        client += 1;
        assert!(client < 1000, "they never shared again");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn without_redis_a_shared_limit_is_the_gateways_own() {
    let backend = Backend::start().await;
    let running = Running::start(&limited(&backend, true)).await;
    for expected in [200, 200, 200, 429] {
        assert_eq!(ask_as(&running, "a").await.status.as_u16(), expected);
    }
    let wrong = Options { redis_url: Some("http://127.0.0.1".into()), ..Options::default() };
    let wrong = Gateway::parse(&limited(&backend, true).to_string(), wrong);
    assert!(wrong.err().unwrap().to_string().contains("Redis"));
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_moment_and_no_answer() {
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = Backend::start().await;
    let options = Options {
        redis_url: Some(format!("redis://{}", silent.local_addr().unwrap())),
        ..Options::default()
    };
    let running = Running::start_with(&limited(&backend, true).to_string(), options).await;
    for expected in [200, 200, 200, 429] {
        assert_eq!(ask_as(&running, "a").await.status.as_u16(), expected);
    }
}

#[tokio::test]
async fn everyone_together_and_the_cheap_limit_are_shared_too() {
    let (backend, redis) = (Backend::start().await, Redis::start().await);
    let mut all = endpoint(&backend, "GET", "/x", "/param_forwarding/");
    all["extra_config"] = json!({
        "qos/ratelimit/router": {"max_rate": 1, "capacity": 1, "every": "1h"},
        "_reservas/ratelimit": {"shared": true},
    });
    let mut routes = file(vec![all, endpoint(&backend, "GET", "/y", "/param_forwarding/")]);
    routes["extra_config"]["_reservas/ratelimit"] =
        json!({"client_max_rate": 3, "every": "1h", "shared": true, "headers": true});
    let (one, two) = (start(&routes, &redis).await, start(&routes, &redis).await);
    assert_eq!(get(&one.url("/x")).await.status, StatusCode::OK);
    assert_eq!(get(&two.url("/x")).await.json()["code"], "overloaded");
    let last = get(&one.url("/y")).await;
    assert!(last.header("ratelimit").starts_with("\"client\";r=0;"), "{}", last.header("ratelimit"));
    assert_eq!(get(&two.url("/y")).await.status, StatusCode::TOO_MANY_REQUESTS);
}
