//! What the gateway answers on its own when it cannot or will not pass a request on, in either of two forms.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::body::{self, ResponseBody};

/// Where the codes are documented; a problem's `type` is this and its code (RFC 9457, section 3.1.1: may be relative).
const TYPE_BASE: &str = "/api/docs/errors#";

/// A request that the gateway answers itself, with an error.
#[derive(Debug)]
pub struct Fault {
    /// The status of the problem.
    pub status: StatusCode,
    /// The stable name of the failure.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// Headers of both forms, such as `Allow` and `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The form of the original: its status, content type and body.
    plain: Box<Plain>,
    /// Whether the original says that it handled the request (`X-Krakend`, `X-Krakend-Completed: false`).
    pub handled: bool,
}

#[derive(Debug)]
struct Plain {
    status: StatusCode,
    content_type: String,
    body: String,
}

impl Fault {
    /// A failure that the original answers with the same status and nothing else.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let plain = Plain { status, content_type: String::new(), body: String::new() };
        Self {
            status,
            code,
            detail: detail.into(),
            headers: Vec::new(),
            plain: Box::new(plain),
            handled: false,
        }
    }

    /// What the original answers instead: a status, and a body unless it is empty.
    pub fn plain(mut self, status: StatusCode, content_type: &str, body: impl Into<String>) -> Self {
        *self.plain = Plain { status, content_type: content_type.to_owned(), body: body.into() };
        self
    }

    /// The original marks this answer as one of its own.
    pub fn handled(mut self) -> Self {
        self.handled = true;
        self
    }

    /// A header of both forms; a value that cannot be one is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// 429 or 503 with the seconds after which it is worth to try again.
    pub fn retry(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, &seconds.max(1).to_string())
    }

    /// The answer as the original gives it.
    pub fn into_plain(self) -> Response<ResponseBody> {
        let text = self.plain.body;
        let mut response =
            Response::new(if text.is_empty() { body::empty() } else { body::full(text.clone()) });
        *response.status_mut() = self.plain.status;
        response.headers_mut().extend(self.headers);
        if !text.is_empty()
            && let Ok(value) = HeaderValue::from_str(&self.plain.content_type)
        {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }

    /// The answer as a problem document (RFC 9457).
    pub fn into_problem(self, instance: &str, correlation_id: &str) -> Response<ResponseBody> {
        let document = json!({
            "type": format!("{TYPE_BASE}{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "correlation_id": correlation_id,
        });
        let mut response = Response::new(body::full(document.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
