//! Why a backend's answer cannot be used, and what the client is told.

use http::StatusCode;

use crate::fault::Fault;

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The endpoint's time is over.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// An answer that cannot be used.
    BadAnswer,
    /// The client's body is larger than allowed.
    TooLarge,
    /// The client sends its body too slowly.
    TooSlow,
    /// The client's body broke off.
    Incomplete,
    /// The breaker is open, so nobody was asked.
    Open,
    /// The backend was asked too often, so nobody was asked.
    Limited,
    /// Too many calls to the host are in flight, so nobody was asked.
    Full,
}

/// Why a backend's answer cannot be used.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What sort.
    pub kind: Kind,
    /// The words of the original, shown with `router.return_error_msg`.
    pub text: String,
    /// The status and content type that `return_error_code` passes on.
    pub passed_on: Option<(StatusCode, String)>,
    /// What the backend answered, when that is the client's doing: 4xx.
    pub refused: Option<StatusCode>,
}

impl Failure {
    /// A failure with the words of the original.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), passed_on: None, refused: None }
    }

    /// The endpoint's time is over.
    pub fn timeout() -> Self {
        Self::new(Kind::Timeout, "context deadline exceeded")
    }

    /// Whether it says nothing of the backend: nobody was asked, or the client is at fault.
    pub fn is_not_the_backends(&self) -> bool {
        matches!(self.kind, Kind::Full | Kind::TooLarge | Kind::TooSlow | Kind::Incomplete)
    }

    /// What the client is told; `tell` shows the words of the original in its form.
    pub fn into_fault(self, tell: bool) -> Fault {
        let fault = match self.kind {
            Kind::BadAnswer if let Some(refused) = self.refused.and_then(refusal) => refused,
            Kind::Timeout => Fault::new(
                StatusCode::GATEWAY_TIMEOUT,
                "gateway_timeout",
                "The service behind took too long.",
            ),
            Kind::Unreachable | Kind::BadAnswer => Fault::new(
                StatusCode::BAD_GATEWAY,
                "bad_gateway",
                "The service behind did not give a usable answer.",
            ),
            Kind::TooLarge => return too_large(),
            Kind::TooSlow => return too_slow(),
            Kind::Incomplete => return incomplete(),
            Kind::Full => return crate::own::overloaded(std::time::Duration::from_secs(1)),
            Kind::Open | Kind::Limited => Fault::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "service_unavailable",
                "The service behind is left alone for a moment.",
            )
            .retry(1),
        };
        let (status, encoding) = self.passed_on.unwrap_or((StatusCode::INTERNAL_SERVER_ERROR, String::new()));
        let content_type = if encoding.is_empty() { "text/plain; charset=utf-8" } else { &encoding };
        fault.plain(status, content_type, if tell { self.text } else { String::new() }).handled()
    }
}

/// What backends refuse for the client's own reasons is no failure of theirs.
fn refusal(status: StatusCode) -> Option<Fault> {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "There is no such thing."),
        StatusCode::FORBIDDEN => ("forbidden", "This is not allowed."),
        StatusCode::UNAUTHORIZED => ("unauthorized", "The token is not accepted."),
        _ => return None,
    };
    Some(Fault::new(status, code, detail))
}

/// 413 for a body that is larger than allowed.
pub fn too_large() -> Fault {
    Fault::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        "The body of the request is larger than allowed.",
    )
}

/// 408 for a body that comes too slowly; the connection is closed after it.
pub fn too_slow() -> Fault {
    Fault::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body of the request came too slowly.")
}

/// 400 for a body that broke off.
pub fn incomplete() -> Fault {
    crate::own::bad_request("incomplete_body", "The body of the request did not arrive.")
}
