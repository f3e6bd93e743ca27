//! Several hosts behind one backend: who is left out, who is asked instead, and who waits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use gateway::{Gateway, Options};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::gateway::Running;
use crate::passing::file;
use crate::scripted::{Scripted, answer, at};

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn serve(gateway: &Gateway) -> Running {
    Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap())
}

#[tokio::test]
async fn a_failing_host_is_left_out_also_after_a_reload_and_shown() {
    let (failing, fine) = (Backend::start().await, Backend::start().await);
    failing.status.store(503, Ordering::SeqCst);
    let health =
        json!({"_reservas/health": {"max_failures": 2, "eject_for": "600s", "max_ejection": "600s"}});
    let routes = file(vec![at(&[failing.url(), fine.url()], "GET", "/switch", health)]);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts.json");
    std::fs::write(&path, routes.to_string()).unwrap();
    let gateway = Gateway::load(&path, Options::default()).unwrap();
    let running = serve(&gateway).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(get(&running.url("/switch")).await.status.as_u16());
    }
    assert_eq!(statuses, [503, 200, 503, 200, 200, 200]);
    gateway.reload(&path).unwrap();
    for _ in 0..4 {
        assert_eq!(get(&running.url("/switch")).await.status, StatusCode::OK);
    }
    assert_eq!((failing.seen(), fine.seen()), (2, 8));
    let metrics = gateway.metrics();
    for line in [
        format!("gateway_backend_host_healthy{{host=\"{}\"}} 0", failing.url()),
        format!("gateway_backend_host_healthy{{host=\"{}\"}} 1", fine.url()),
        format!("gateway_backend_host_ejections_total{{host=\"{}\"}} 1", failing.url()),
    ] {
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn an_ejected_host_comes_back_by_one_trial_and_the_last_ones_are_asked_anyway() {
    let (first, second) = (Backend::start().await, Backend::start().await);
    let health = json!({"_reservas/health": {"max_failures": 1, "eject_for": "1ms", "max_ejection": "1ms"}});
    let running =
        Running::start(&file(vec![at(&[first.url(), second.url()], "GET", "/switch", health)])).await;
    for backend in [&first, &second] {
        backend.status.store(503, Ordering::SeqCst);
    }
    for _ in 0..8 {
        assert_eq!(get(&running.url("/switch")).await.body, "switched", "none is well, so any is asked");
    }
    assert_eq!(first.seen() + second.seen(), 8);
    for backend in [&first, &second] {
        backend.status.store(200, Ordering::SeqCst);
        let before = backend.seen();
        while backend.seen() < before + 2 {
            get(&running.url("/switch")).await;
        }
    }
}

#[tokio::test]
async fn checks_take_a_host_out_before_any_client_notices() {
    let well = Arc::new(AtomicBool::new(true));
    let health = Arc::clone(&well);
    let checked = Scripted::start(move |path, _| {
        let status = if path == "/well" && !health.load(Ordering::SeqCst) { 500 } else { 200 };
        Box::pin(std::future::ready(answer(status, &[], "checked")))
    })
    .await;
    let other = Scripted::start(|_, _| Box::pin(std::future::ready(answer(200, &[], "other")))).await;
    let rules = json!({"path": "/well", "interval": "5ms", "healthy_threshold": 1, "unhealthy_threshold": 2});
    let mut routes = file(vec![at(&[checked.url(), other.url()], "GET", "/x", json!({}))]);
    routes["extra_config"]["_reservas/health"] = rules;
    let gateway = Gateway::parse(&routes.to_string(), Options::default()).unwrap();
    let running = serve(&gateway).await;
    let shows = |value: u8| format!("gateway_backend_host_healthy{{host=\"{}\"}} {value}", checked.url());
    for (now, value) in [(true, 1), (false, 0), (true, 1)] {
        well.store(now, Ordering::SeqCst);
        while !gateway.metrics().contains(&shows(value)) {
            tokio::task::yield_now().await;
        }
        let mut bodies = Vec::new();
        for _ in 0..4 {
            bodies.push(get(&running.url("/x")).await.body);
        }
        let asked = bodies.iter().filter(|body| *body == "checked").count();
        assert_eq!(asked, if now { 2 } else { 0 }, "{bodies:?}");
    }
}

#[tokio::test]
async fn what_can_be_repeated_is_repeated_once_on_another_host() {
    let backend = Backend::start().await;
    let hosts = [nobody().await, backend.url()];
    let endpoints = ["GET", "PUT", "POST"].map(|method| at(&hosts, method, "/switch", json!({})));
    let mut routes = file(endpoints.to_vec());
    routes["extra_config"]["_reservas/retry"] = json!({});
    let gateway = Gateway::parse(&routes.to_string(), Options::default()).unwrap();
    let running = serve(&gateway).await;
    for method in ["GET", "PUT"] {
        for _ in 0..3 {
            assert_eq!(
                ask(method, &running.url("/switch"), &[], "").await.status,
                StatusCode::OK,
                "{method}"
            );
        }
    }
    let mut posted = [0, 0];
    for _ in 0..4 {
        let status = ask("POST", &running.url("/switch"), &[], "").await.status;
        posted[usize::from(status == StatusCode::OK)] += 1;
    }
    assert_eq!(posted, [2, 2], "a POST may have been done, so it is not repeated");
    assert!(gateway.metrics().contains("gateway_backend_retries_total 4"), "{}", gateway.metrics());
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_nobody_else() {
    let release = Arc::new(tokio::sync::Notify::new());
    let released = Arc::clone(&release);
    let hanging = Scripted::start(move |_, _| {
        let released = Arc::clone(&released);
        Box::pin(async move {
            released.notified().await;
            answer(200, &[], "late")
        })
    })
    .await;
    let fine = Backend::start().await;
    let room = json!({"_reservas/concurrency": {"max": 1, "queue": 1}});
    let mut routes = file(vec![
        at(&[hanging.url()], "GET", "/hang", room),
        at(&[fine.url()], "GET", "/switch", json!({})),
    ]);
    routes["timeout"] = "60s".into();
    let running = Running::start(&routes).await;
    let url = running.url("/hang");
    let first = tokio::spawn({
        let url = url.clone();
        async move { get(&url).await }
    });
    hanging.until_seen("/hang", 1).await;
    // One of these two waits for its turn, the other finds no room even to wait.
    let mut others: FuturesUnordered<_> = (0..2).map(|_| get(&url)).collect();
    let refused = others.next().await.unwrap();
    assert_eq!(
        (refused.status, refused.header("retry-after"), refused.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "1", Some("overloaded"))
    );
    assert_eq!(get(&running.url("/switch")).await.status, StatusCode::OK);
    assert_eq!(hanging.seen("/hang"), 1);
    release.notify_one();
    assert_eq!(first.await.unwrap().body, "late");
    let waited = async {
        hanging.until_seen("/hang", 2).await;
        release.notify_one();
    };
    let (last, ()) = tokio::join!(others.next(), waited);
    assert_eq!(last.unwrap().body, "late");
}

#[tokio::test]
async fn what_two_backends_say_of_one_host_must_agree() {
    let room = |max: u64| json!({"_reservas/concurrency": {"max": max}});
    let host = ["http://a:1".to_owned()];
    let routes = file(vec![at(&host, "GET", "/x", room(1)), at(&host, "GET", "/y", room(2))]);
    let errors = Gateway::parse(&routes.to_string(), Options::default()).err().unwrap().to_string();
    assert!(
        errors.contains("`_reservas/concurrency` of http://a:1 is different at another backend"),
        "{errors}"
    );
}

#[tokio::test]
async fn checks_end_with_the_gateway_and_with_the_file_that_wants_them() {
    let checked = Scripted::start(|_, _| Box::pin(std::future::ready(answer(200, &[], "")))).await;
    let mut routes = file(vec![at(&[checked.url()], "GET", "/x", json!({}))]);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checks.json");
    std::fs::write(&path, routes.to_string()).unwrap();
    let gateway = Gateway::load(&path, Options::default()).unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = tokio::spawn(gateway.clone().serve(listener, stop.clone()));
    // Asked so often that many checks would have come meanwhile.
    let ends = async |checked: &Scripted| {
        let url = format!("{}/other", checked.url());
        for _ in 0..10 {
            get(&url).await;
        }
        let before = checked.seen("/well");
        for _ in 0..100 {
            get(&url).await;
        }
        assert_eq!(checked.seen("/well"), before);
    };
    for file_or_gateway in ["file", "gateway"] {
        let before = checked.seen("/well");
        routes["extra_config"]["_reservas/health"] = json!({"path": "/well", "interval": "1ms"});
        std::fs::write(&path, routes.to_string()).unwrap();
        gateway.reload(&path).unwrap();
        checked.until_seen("/well", before + 3).await;
        if file_or_gateway == "file" {
            routes["extra_config"]["_reservas/health"] = json!({"enabled": false, "path": "/well"});
            std::fs::write(&path, routes.to_string()).unwrap();
            gateway.reload(&path).unwrap();
        } else {
            stop.cancel();
        }
        ends(&checked).await;
    }
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_place() {
    let extra = json!({
        "_reservas/health": {"path": "well", "interval": "0s", "healthy_threshold": 0},
        "_reservas/concurrency": {"max": 0},
    });
    let mut routes = file(vec![at(&["a b".into()], "GET", "/x", extra)]);
    routes["endpoints"][0]["backend"][0]["sd"] = "dns".into();
    let errors = Gateway::parse(&routes.to_string(), Options::default()).err().unwrap().to_string();
    for wrong in [
        "path: must begin with `/`",
        "interval: must be longer than zero",
        "healthy_threshold: must be one or more",
        "max: must be 1 to 1000000",
        "host: `a b` is not a name of services",
    ] {
        assert!(errors.contains(wrong), "{wrong} is not in {errors}");
    }
}
