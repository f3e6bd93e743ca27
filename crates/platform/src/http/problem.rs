//! Errors as RFC 9457 problem documents, and the one match that turns a kind of failure into a status.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use kernel::Kind;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Where the codes are documented; a problem's `type` is this and its code (RFC 9457, section 3.1.1: may be relative).
pub const TYPE_BASE: &str = "/api/docs/errors#";

/// With 503: nothing at all can be written for now.
pub const READ_ONLY: HeaderName = HeaderName::from_static("x-read-only");

/// How a service's error describes itself, free of transport. `Display` is the sentence for the user.
pub trait Fault: std::fmt::Display {
    /// What sort of failure it is.
    fn kind(&self) -> Kind;
    /// The stable name of the failure, listed in `docs/errors.md`.
    fn code(&self) -> &'static str;
    /// Further members of the problem document.
    fn members(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// One thing wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body (RFC 6901), or the parameter's name.
    pub pointer: String,
    /// Stable name of the rule.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
}

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What sort of failure it is.
    pub kind: Kind,
    /// The stable name of the failure.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// What is wrong with the input, one entry each.
    pub errors: Vec<FieldError>,
    /// Further members of the document.
    pub members: Map<String, Value>,
    /// After how many seconds a repetition may succeed.
    pub retry_after: Option<u32>,
    /// What the service keeps for itself of it; never shown.
    pub aside: Option<Box<Value>>,
    /// Whether the same transaction may succeed when it is run again at once (SQLSTATE 40001, 40P01).
    pub transient: bool,
    status: StatusCode,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
            aside: None,
            transient: false,
            status: status(kind),
        }
    }

    /// A problem with a status that has no kind of its own (405, 408, 413, 415, 431).
    #[must_use]
    pub fn with_status(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let kind = if status.is_server_error() { Kind::Internal } else { Kind::Malformed };
        Self { status, ..Self::new(kind, code, detail) }
    }

    /// 422 with an entry for each thing wrong with the input.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(Kind::Invalid, "invalid_input", "The request has values that are not allowed.")
        }
    }

    /// 422 for a single field.
    #[must_use]
    pub fn invalid_field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.into(), code: code.into(), detail: detail.into() }])
    }

    /// 404, also for what belongs to another organization.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("There is no such {what}."))
    }

    /// 500 that tells the client nothing; the cause goes to the log.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "internal error");
        Self::new(
            Kind::Internal,
            "internal",
            "Something went wrong on our side. The correlation id helps to find it.",
        )
    }

    /// 503 with `Retry-After` in seconds.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: &str, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Kind::Unavailable, code, detail) }
    }

    /// 503 for a write while the database can only be read. Said to the gateway by a header as well, so that it spares us
    /// further ones for a while.
    #[must_use]
    pub fn read_only() -> Self {
        // Every write is refused by now: a line for each would tell nothing new. `Db::takes_writes` tells it once.
        tracing::debug!("the database is read-only");
        Self::unavailable("read_only", "Nothing can be changed at the moment; reading works.", 5)
    }

    /// Marks it as one that another run of the same transaction may not meet.
    #[must_use]
    pub fn or_run_again(self) -> Self {
        Self { transient: true, ..self }
    }

    /// The status it will be answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document, with the request's path and correlation id.
    #[must_use]
    pub fn document(&self, instance: &str, correlation_id: &str) -> Map<String, Value> {
        let mut document = self.members.clone();
        document.insert("type".into(), format!("{TYPE_BASE}{}", self.code).into());
        document.insert("title".into(), self.status.canonical_reason().unwrap_or("Error").into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("detail".into(), self.detail.clone().into());
        document.insert("instance".into(), instance.into());
        document.insert("code".into(), self.code.into());
        document.insert("correlation_id".into(), correlation_id.into());
        if !self.errors.is_empty() {
            document.insert("errors".into(), serde_json::to_value(&self.errors).unwrap_or_default());
        }
        document
    }
}

/// The one place where a kind becomes a status.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::VersionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl<F: Fault> From<F> for Problem {
    fn from(fault: F) -> Self {
        if fault.kind() == Kind::Internal {
            return Self::internal(&fault);
        }
        Self { members: fault.members(), ..Self::new(fault.kind(), fault.code(), fault.to_string()) }
    }
}

/// The body is written by [`super::stack`], which knows the path and the correlation id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == "read_only" {
            response.headers_mut().insert(READ_ONLY, HeaderValue::from_static("true"));
        }
        if self.kind == Kind::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
