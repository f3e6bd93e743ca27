//! What the gateway is told, and what nginx is told that does the same.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Outcome;

/// What is asked of the gateway.
#[derive(Debug, Clone)]
pub struct Case {
    /// For people.
    pub name: &'static str,
    /// The path, with the endpoint that answers it.
    pub path: &'static str,
    /// What the gateway logs.
    pub log: &'static str,
    /// What stands at the root of the file.
    root: Value,
    /// The endpoint without its path.
    endpoint: Value,
}

impl Case {
    /// All of them; keys are found at `issuer`, and traces are sent to `collector`.
    pub fn all(backend: u16, issuer: &str, collector: u16) -> Vec<Self> {
        let host = json!([format!("http://127.0.0.1:{backend}")]);
        let no_op = |extra: Value, to: Value| {
            json!({"output_encoding": "no-op", "input_headers": ["*"], "extra_config": extra,
                   "backend": [{"host": host, "url_pattern": "/plain", "extra_config": to}]})
        };
        let part = |group: &str| json!({"host": host, "url_pattern": "/plain", "group": group, "allow": ["id", "name", "status"]});
        let validator = json!({"auth/validator": {
            "alg": "EdDSA", "jwk_url": format!("{issuer}/.well-known/jwks.json"), "disable_jwk_security": true,
            "cache": true, "issuer": "reservas", "audience": ["reservas"]}});
        let limit = json!({"qos/ratelimit/router": {"max_rate": 1_000_000, "client_max_rate": 1_000_000}});
        let product = json!({"_reservas/log": {}, "_reservas/errors": {"format": "problem"},
            "security/http": {"content_type_nosniff": true, "frame_deny": true, "referrer_policy": "no-referrer"},
            "_reservas/ratelimit": {"client_max_rate": 1_000_000}});
        let otlp = json!({"name": "collector", "host": "127.0.0.1", "port": collector, "use_http": true,
            "disable_metrics": true});
        let traced = json!({"telemetry/opentelemetry": {"exporters": {"otlp": [otlp]}}});
        let case = |name, path, endpoint| Self { name, path, log: "error", root: json!({}), endpoint };
        let plain = || no_op(json!({}), json!({}));
        let mut cached = no_op(json!({}), json!({"qos/http-cache": {}}));
        cached["backend"][0]["url_pattern"] = "/cached".into();
        vec![
            case("no-op", "/no-op", plain()),
            case("JSON, one backend", "/json", json!({"backend": [{"host": host, "url_pattern": "/plain"}]})),
            case(
                "JSON, three merged with group and allow",
                "/merged",
                json!({"backend": [part("a"), part("b"), part("c")]}),
            ),
            case("no-op, validator (EdDSA)", "/validated", no_op(validator, json!({}))),
            case("no-op, rate limits", "/limited", no_op(limit, json!({}))),
            case("no-op, cache hit", "/cached", cached),
            Self { root: product.clone(), ..case("no-op, the product's root", "/product", plain()) },
            Self {
                root: product,
                log: "info",
                ..case("the same, its access log written to a file", "/product", plain())
            },
            Self { root: traced, ..case("no-op, every request traced and sent", "/traced", plain()) },
        ]
    }

    /// Writes the route file.
    pub fn write(&self, folder: &Path) -> Outcome<PathBuf> {
        let mut endpoint = self.endpoint.clone();
        endpoint["endpoint"] = self.path.into();
        write(folder, &self.root, &[endpoint])
    }
}

/// Two endpoints of one gateway: a sound backend, and one in trouble behind a breaker.
pub fn trouble(folder: &Path, backend: u16) -> Outcome<PathBuf> {
    let to = |path: &str, timeout: &str, extra: Value| {
        json!({"endpoint": path, "output_encoding": "no-op", "timeout": timeout,
               "backend": [{"host": [format!("http://127.0.0.1:{backend}")], "url_pattern": path,
                            "extra_config": extra}]})
    };
    let breaker = json!({"_reservas/circuit-breaker": {"max_errors": 3, "timeout": 1, "interval": 10}});
    let all = [
        to("/sound", "1s", json!({})),
        to("/failing", "1s", breaker),
        to("/hanging", "1s", json!({})),
        to("/hanging-long", "60s", json!({})),
    ];
    write(folder, &json!({}), &all)
}

fn write(folder: &Path, root: &Value, endpoints: &[Value]) -> Outcome<PathBuf> {
    let file = folder.join("routes.json");
    let text = json!({"version": 3, "idle_timeout": "600s", "extra_config": root, "endpoints": endpoints});
    fs::write(&file, text.to_string())?;
    Ok(file)
}

/// nginx as a reverse proxy with kept connections on both sides, without an access log.
pub fn nginx(folder: &Path, port: u16, backend: u16) -> Outcome<PathBuf> {
    let (file, home) = (folder.join("nginx.conf"), folder.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("    {name}_temp_path {home}/{name};\n"))
        .concat();
    let text = format!(
        "worker_processes 1;
daemon off;
pid {home}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 16000; }}
http {{
{temporary}    access_log off;
    upstream backend {{ server 127.0.0.1:{backend}; keepalive 250; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $host;
        }}
    }}
}}
"
    );
    fs::write(&file, text)?;
    Ok(file)
}
