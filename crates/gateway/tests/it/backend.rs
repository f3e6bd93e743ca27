//! A backend that tells what it was asked, as the published cases expect it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

/// A running backend.
#[derive(Clone)]
pub struct Backend {
    pub address: SocketAddr,
    /// How many requests came.
    pub count: Arc<AtomicUsize>,
    /// What `/switch` answers with.
    pub status: Arc<AtomicUsize>,
    /// Whether `/writes` is refused as a read-only database makes services do.
    pub read_only: Arc<AtomicBool>,
    /// What `/keys` answers.
    pub keys: Arc<Mutex<Value>>,
}

impl Backend {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Starts one on a listener.
    pub fn start_on(listener: TcpListener) -> Self {
        let backend = Self {
            address: listener.local_addr().unwrap(),
            count: Arc::default(),
            status: Arc::new(AtomicUsize::new(200)),
            read_only: Arc::default(),
            keys: Arc::new(Mutex::new(json!({"keys": []}))),
        };
        let shared = backend.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(shared.answer(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        backend
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub fn seen(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        self.count.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_owned();
        if path == "/jwk/symmetric" {
            return json_answer(&symmetric());
        }
        if path == "/keys" {
            return json_answer(&self.keys.lock().unwrap().clone());
        }
        if request.headers().get("x-forwarded-for").is_none_or(|value| value != "127.0.0.1" && value != "::1")
        {
            return status(400, "bad X-Forwarded-For");
        }
        if path == "/writes" {
            let mut answer = status(200, "written");
            if self.read_only.load(Ordering::SeqCst) {
                answer = status(503, "read only");
                answer.headers_mut().insert("x-read-only", header::HeaderValue::from_static("true"));
            }
            return answer;
        }
        if path == "/switch" {
            return status(self.status.load(Ordering::SeqCst).try_into().unwrap(), "switched");
        }
        if path.starts_with("/param_forwarding/") {
            return echo(request).await;
        }
        if path.starts_with("/delayed/") {
            tokio::time::sleep(Duration::from_millis(200)).await;
            return echo(request).await;
        }
        if path == "/never" {
            return std::future::pending().await;
        }
        if path.starts_with("/collection/") {
            let items: Vec<Value> = (0..10).map(|index| json!({"path": path, "i": index})).collect();
            return json_answer(&items.into());
        }
        if path == "/redirect/" {
            return redirect(request.uri().query().unwrap_or_default());
        }
        if path == "/loop" {
            return located(302, "/loop".into());
        }
        special(&path, request).await
    }
}

async fn special(path: &str, request: Request<Incoming>) -> Answer {
    match path {
        "/text" => Response::new("plain <text>".into()),
        "/numbers" => {
            Response::new(r#"{"a":1.0,"b":12345678901234567890,"c":"<&>","n":{"x":null,"y":[1,"z"]}}"#.into())
        }
        "/nested" => Response::new(
            r#"{"data":{"user":{"id":7,"name":"Ada","secret":"s"},"tags":["a","b"]},"meta":{"page":1}}"#
                .into(),
        ),
        "/empty" => Response::new("{}".into()),
        "/created" => {
            let mut answer = json_answer(&json!({"id": 1}));
            *answer.status_mut() = http::StatusCode::CREATED;
            answer
        }
        "/gzip" => gzip(&request),
        "/hop" => {
            let mut answer = status(409, "conflict");
            for (name, value) in
                [("connection", "x-secret"), ("x-secret", "1"), ("keep-alive", "timeout=5"), ("x-kept", "1")]
            {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            answer
        }
        "/length" => {
            let length = request.into_body().collect().await.map(|body| body.to_bytes().len());
            match length {
                Ok(length) => Response::new(length.to_string().into()),
                Err(_) => status(400, "broken body"),
            }
        }
        _ => status(404, "404 page not found\n"),
    }
}

fn gzip(request: &Request<Incoming>) -> Answer {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(br#"{"compressed":true}"#).unwrap();
    let mut answer: Answer = Response::new(encoder.finish().unwrap().into());
    if request.headers().get(header::ACCEPT_ENCODING).is_some_and(|value| value == "gzip") {
        answer.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    }
    answer
}

async fn echo(request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let query = pairs(parts.uri.query().unwrap_or_default());
    let mut told =
        json!({"path": parts.uri.path(), "query": query, "headers": canonical(&parts.headers), "foo": 42});
    if query.get("dump_body").is_some_and(|values| values.first().is_some_and(|value| value == "1")) {
        let bytes = body.collect().await.unwrap().to_bytes();
        told["body"] = String::from_utf8(bytes.to_vec()).unwrap().into();
    }
    let mut answer: Answer = Response::new(format!("{told}\n").into());
    answer.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    for cookie in ["test1=test1", "test2=test2"] {
        answer.headers_mut().append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    answer
}

fn pairs(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        all.entry(key.into_owned()).or_default().push(value.into_owned());
    }
    all
}

/// Header names as Go writes them, without the host and the forwarded address.
fn canonical(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in
        headers.iter().filter(|(name, _)| *name != header::HOST && *name != "x-forwarded-for")
    {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_uppercase())
        };
        let name = name.as_str().split('-').map(capital).collect::<Vec<_>>().join("-");
        all.entry(name).or_default().push(value.to_str().unwrap().to_owned());
    }
    all.remove("Transfer-Encoding");
    all
}

fn redirect(query: &str) -> Answer {
    let code = pairs(query).get("status").and_then(|values| values.first()?.parse().ok()).unwrap_or(302);
    located(code, format!("/param_forwarding/?{query}"))
}

fn located(code: u16, target: String) -> Answer {
    let mut answer = status(code, "");
    answer.headers_mut().insert(header::LOCATION, target.parse().unwrap());
    answer
}

fn status(code: u16, text: &'static str) -> Answer {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = code.try_into().unwrap();
    answer.headers_mut().insert(header::CONTENT_TYPE, "text/plain; charset=utf-8".parse().unwrap());
    answer
}

fn json_answer(value: &Value) -> Answer {
    let mut answer: Answer = Response::new(value.to_string().into());
    answer.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    answer
}

fn symmetric() -> Value {
    json!({"keys": [
        {"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg", "kid": "sim1"},
        {"kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", "kid": "sim2"},
    ]})
}
