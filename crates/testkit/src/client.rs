//! Calls to a router, and their replies.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::Value;
use tower::ServiceExt as _;

/// A call under construction.
#[derive(Debug)]
pub struct Call {
    router: Router,
    request: Request<Body>,
}

impl Call {
    /// A call of a router.
    ///
    /// # Panics
    /// When the path is none.
    #[must_use]
    pub fn new(router: Router, method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        Self { router, request }
    }

    /// With a header.
    ///
    /// # Panics
    /// When the value cannot stand in a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    /// With a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a JSON body.
    ///
    /// # Panics
    /// When the value is no JSON.
    #[must_use]
    pub fn json(self, body: impl Serialize) -> Self {
        self.body("application/json", serde_json::to_vec(&body).unwrap())
    }

    /// With a body of any kind.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header(header::CONTENT_TYPE.as_str().to_owned().leak(), media_type)
    }

    /// Makes the call.
    ///
    /// # Panics
    /// When the answer's body breaks off.
    pub async fn send(self) -> Reply {
        let response = self.router.oneshot(self.request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Reply {
    /// Checks the status.
    ///
    /// # Panics
    /// When it is another; the message shows the body.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Checks status and code of a problem, and that it is a whole problem document.
    ///
    /// # Panics
    /// When anything of it is wrong.
    pub fn problem(self, status: u16, code: &str) -> Value {
        let reply = self.expect(status);
        assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
        let document = reply.json();
        assert_eq!(document["code"], code, "{document}");
        assert_eq!(document["status"], status);
        for member in ["type", "title", "detail", "instance", "correlation_id"] {
            assert!(document[member].is_string(), "{member} is missing in {document}");
        }
        document
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header as text.
    ///
    /// # Panics
    /// When it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }
}
