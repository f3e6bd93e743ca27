//! A client that follows redirects and tells what came back.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use url::Url;

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks, and follows at most ten redirects.
pub async fn follow(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut url = Url::parse(url).unwrap();
    let mut method = method.to_owned();
    for _ in 0..10 {
        let reply = ask(&method, url.as_str(), headers, body).await;
        if !reply.status.is_redirection() || reply.header("location").is_empty() {
            return reply;
        }
        if !matches!(reply.status.as_u16(), 307 | 308) {
            method = "GET".into();
        }
        url = url.join(reply.header("location")).unwrap();
    }
    panic!("too many redirects");
}

/// Asks once.
pub async fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(url);
    let standard = [("user-agent", "Go-http-client/1.1"), ("accept-encoding", "gzip")];
    for (name, value) in
        standard.iter().filter(|(name, _)| !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)))
    {
        request = request.header(*name, *value);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_empty() && method == "POST" {
        request = request.header(header::CONTENT_LENGTH, "0");
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let (parts, body) = client.request(request).await.expect("the gateway answers").into_parts();
    let body = body.collect().await.expect("the whole answer arrives").to_bytes();
    Reply { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Asks with GET and no headers.
pub async fn get(url: &str) -> Reply {
    ask("GET", url, &[], "").await
}
