//! Someone who speaks to the gateway.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A client, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, when the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The problem, when status and code are the expected ones.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body:#}");
        body
    }
}

impl Client {
    pub fn new(base: String) -> Self {
        let http = platform::http::client::client(Duration::from_secs(60)).unwrap();
        Self { http, base, token: None }
    }

    /// The same person at another address.
    pub fn at(&self, base: String) -> Self {
        Self { base, ..self.clone() }
    }

    /// The same, signed in as someone of the only organization.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        self.sign_in_with(json!({ "email": email, "password": password })).await
    }

    pub async fn sign_in_with(&self, credentials: Value) -> Self {
        let session = self.post("/api/v1/auth/login", credentials).await.expect(200);
        Self { token: Some(session["access_token"].as_str().unwrap().to_owned()), ..self.clone() }
    }

    /// The same, with an access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same, as someone new who registers and signs in.
    pub async fn register(&self, email: &str, name: &str) -> Self {
        let person = json!({ "email": email, "password": "a password of many words", "name": name });
        self.post("/api/v1/auth/register", person).await.expect(201);
        self.sign_in(email, "a password of many words").await
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request =
            self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// Imports a CSV file with its mapping, and gives the report.
    pub async fn import(&self, csv: Vec<u8>, mapping: &str) -> Value {
        let file =
            reqwest::multipart::Part::bytes(csv).file_name("resources.csv").mime_str("text/csv").unwrap();
        let form = reqwest::multipart::Form::new().part("file", file).text("mapping", mapping.to_owned());
        self.send(self.request("POST", "/api/v1/resources/import").multipart(form)).await.expect(200)
    }

    /// Asks again and again until the answer is as wanted: what follows an event follows soon, not at once.
    pub async fn eventually(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        let mut last = Value::Null;
        for _ in 0..600 {
            tick.tick().await;
            last = self.get(path).await.expect(200);
            if wanted(&last) {
                return last;
            }
        }
        panic!("{path} never became what was wanted: {last:#}");
    }
}

/// Asks again and again until the answer has a status: what follows an event follows soon.
pub async fn until(status: u16, ask: impl AsyncFn() -> u16) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..600 {
        tick.tick().await;
        if ask().await == status {
            return;
        }
    }
    panic!("was never answered with {status}");
}
