//! What is told of requests: spans to a collector, metrics on a port of the file, lines of the access log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::client::{ask, get};
use crate::collector::{Collector, Seen};
use crate::gateway::Running;
use crate::passing::{endpoint, file};
use crate::tokens::{Signer, seconds_from_now};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn telling(mut file: Value, namespace: &str, value: Value) -> Value {
    file["extra_config"][namespace] = value;
    file
}

fn to(collector: &Collector) -> Value {
    let url = collector.url();
    let (host, port) = url.rsplit_once(':').unwrap();
    json!({"service_name": "edge", "exporters": {"otlp": [{"name": "c", "host": host,
        "port": port.parse::<u16>().unwrap(), "use_http": true, "disable_metrics": true}]}})
}

fn two(backend: &Backend) -> Value {
    let mut two = endpoint(backend, "GET", "/two/{id}", "/param_forwarding/{id}");
    two["output_encoding"] = "json".into();
    two["backend"][0]["encoding"] = "json".into();
    two["backend"][0]["group"] = "a".into();
    let failing = json!({"host": [backend.url()], "url_pattern": "/unknown?fixed=1", "group": "b",
        "extra_config": {"qos/circuit-breaker": {"max_errors": 100, "timeout": 1, "interval": 1}}});
    two["backend"].as_array_mut().unwrap().push(failing);
    two
}

#[tokio::test]
async fn a_request_and_its_calls_to_backends_are_one_trace() {
    let (backend, collector) = (Backend::start().await, Collector::start().await);
    let routes = telling(file(vec![two(&backend)]), "telemetry/opentelemetry", to(&collector));
    let gateway = Running::start(&routes).await;
    let headers = [("traceparent", PARENT), ("authorization", "Bearer geheim")];
    let reply = ask("GET", &gateway.url("/two/7?token=geheim"), &headers, "").await;
    let spans = collector.until(|spans| spans.len() == 3).await;
    let kind = |kind: i32| spans.iter().filter(move |span| span.kind == kind).collect::<Vec<&Seen>>();
    let [server] = kind(2)[..] else { panic!("{spans:#?}") };
    assert_eq!((server.service.as_str(), server.name.as_str()), ("edge", "GET /two/{id}"));
    assert!(PARENT.contains(&server.trace) && PARENT.contains(&server.parent) && !server.failed);
    assert_eq!(server.attributes["http.response.status_code"], "200");
    assert_eq!(server.attributes["url.path"], "/two/7");
    let clients = kind(3);
    assert!(clients.iter().all(|span| span.parent == server.id && span.trace == server.trace));
    let named = |name: &str| *clients.iter().find(|span| span.name == name).unwrap();
    let (fine, failed) = (named("GET /param_forwarding/{id}"), named("GET /unknown"));
    assert!(!fine.failed && failed.failed && failed.attributes["error.type"] == "404");
    let told = &reply.json()["a"]["headers"]["Traceparent"][0];
    assert_eq!(*told, format!("00-{}-{}-01", server.trace, fine.id));
    assert!(!format!("{spans:?}").contains("geheim"));
}

#[tokio::test]
async fn what_was_left_out_elsewhere_is_left_out_here() {
    let (backend, collector) = (Backend::start().await, Collector::start().await);
    let routes = telling(file(vec![two(&backend)]), "telemetry/opentelemetry", to(&collector));
    let gateway = Running::start(&routes).await;
    let left = format!("{}00", PARENT.strip_suffix("01").unwrap());
    let reply = ask("GET", &gateway.url("/two/7"), &[("traceparent", &left)], "").await;
    let told = reply.json()["a"]["headers"]["Traceparent"][0].as_str().unwrap().to_owned();
    assert!(told.starts_with(&left[..36]) && told.ends_with("-00"), "{told}");
    // A health check has no span at all; this one has.
    get(&gateway.url("/__health")).await;
    get(&gateway.url("/nowhere")).await;
    let spans = collector.until(|spans| !spans.is_empty()).await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET none"]);
}

#[tokio::test]
async fn metrics_have_the_published_names_on_the_port_of_the_file() {
    let backend = Backend::start().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let telemetry =
        json!({"exporters": {"prometheus": [{"name": "p", "port": port, "listen_ip": "127.0.0.1"}]}});
    let gateway =
        Running::start(&telling(file(vec![two(&backend)]), "telemetry/opentelemetry", telemetry)).await;
    get(&gateway.url("/two/7")).await;
    get(&gateway.url("/made/up/by/a/client")).await;
    let reply = get(&format!("http://127.0.0.1:{port}/metrics")).await;
    assert_eq!(reply.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let address = backend.url();
    let of = |route: &str| {
        format!(
            "http_request_method=\"GET\",http_route=\"{route}\",server_address=\"{address}\",krakend_endpoint=\"/two/{{id}}\",krakend_endpoint_method=\"GET\""
        )
    };
    for expected in [
        "http_server_duration_count{http_request_method=\"GET\",http_route=\"/two/{id}\",http_response_status_code=\"200\"} 1".to_owned(),
        "http_server_duration_count{http_request_method=\"GET\",http_route=\"none\",http_response_status_code=\"404\"} 1".to_owned(),
        "http_server_response_size_count{".to_owned(),
        "krakend_proxy_duration_count{http_request_method=\"GET\",http_route=\"/two/{id}\",error=\"false\",complete=\"false\",canceled=\"false\"} 1".to_owned(),
        format!("krakend_backend_duration_count{{{},error=\"true\",complete=\"false\",canceled=\"false\"}} 1", of("/unknown")),
        format!("http_client_duration_count{{{},http_response_status_code=\"404\"}} 1", of("/unknown")),
        format!("gateway_breaker_open{{{}}} 0", of("/unknown")),
        "gateway_refused_total{code=\"unknown_path\",http_route=\"none\"} 1".to_owned(),
        "gateway_requests_in_flight 0".to_owned(),
    ] {
        assert!(reply.body.contains(&expected), "{expected}\n{}", reply.body);
    }
    assert!(reply.body.contains("gateway_connections ") && !reply.body.contains("/made/up"));
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_line_of_the_access_log_says_all_and_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
    // For the whole process: with one for this thread alone, tests on other threads may switch its lines off for good.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let (backend, signer) = (Backend::start().await, Signer::new("a", 1));
    *backend.keys.lock().unwrap() = json!({"keys": [signer.jwk()]});
    let mut guarded = endpoint(&backend, "POST", "/me/{id}", "/param_forwarding/");
    guarded["output_encoding"] = "no-op".into();
    guarded["extra_config"] = json!({"auth/validator": {"alg": "EdDSA",
        "jwk_url": format!("{}/keys", backend.url()), "disable_jwk_security": true, "cache": true}});
    let gateway = Running::start(&telling(file(vec![guarded]), "_reservas/log", json!({}))).await;
    let token = signer.token(&json!({"sub": "u1", "org": "o1", "exp": seconds_from_now(600)}));
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", "session=geheim"),
        ("traceparent", PARENT),
        ("x-correlation-id", "follow-me"),
        ("user-agent", "probe/1"),
    ];
    let reply = ask("POST", &gateway.url("/me/7?token=geheim"), &headers, "a body that is geheim").await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("geheim") && !text.contains(&token), "{text}");
    let line: Value = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["target"] == "gateway::access" && line["correlation_id"] == "follow-me")
        .unwrap_or_else(|| panic!("{text}"));
    for (key, expected) in [
        ("method", json!("POST")),
        ("path", json!("/me/7")),
        ("route", json!("/me/{id}")),
        ("status", json!(200)),
        ("bytes_in", json!(21)),
        ("bytes_out", json!(reply.body.len())),
        ("correlation_id", json!("follow-me")),
        ("trace_id", json!("0af7651916cd43dd8448eb211c80319c")),
        ("client", json!("127.0.0.1")),
        ("user", json!("u1")),
        ("organization", json!("o1")),
        ("user_agent", json!("probe/1")),
    ] {
        assert_eq!(line[key], expected, "{key} of {line}");
    }
    let (whole, upstream) = (line["duration_ms"].as_f64().unwrap(), line["upstream_ms"].as_f64().unwrap());
    assert!(upstream > 0.0 && upstream <= whole, "{line}");
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nobody_anything() {
    let backend = Backend::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let telemetry = json!({"exporters": {"otlp": [{"name": "c", "host": "127.0.0.1", "port": closed,
        "use_http": true, "disable_metrics": true}]}});
    let gateway =
        Running::start(&telling(file(vec![two(&backend)]), "telemetry/opentelemetry", telemetry)).await;
    for _ in 0..20 {
        assert_eq!(get(&gateway.url("/two/7")).await.status, 200);
    }
}
