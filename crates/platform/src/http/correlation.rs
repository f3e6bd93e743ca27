//! The correlation id of a request: taken from `X-Correlation-Id`, minted when absent, refused when not plain.

use axum::extract::FromRequestParts;
use http::{HeaderName, request::Parts};
use kernel::EventId;

use super::Problem;

/// The header's name.
pub const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

/// What ties the log lines and events of one request together, and where it came from.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// 1 to 128 characters of `[A-Za-z0-9._-]`.
    pub id: String,
    /// The client's address as the gateway saw it, when known.
    pub client: Option<String>,
}

impl Correlation {
    /// A new one, for work that no request caused.
    #[must_use]
    pub fn mint() -> Self {
        Self { id: EventId::mint().to_string(), client: None }
    }

    /// The one that the headers carry.
    ///
    /// # Errors
    /// 400 when the id is empty, longer than 128 characters or has others than `[A-Za-z0-9._-]`.
    pub fn of(headers: &http::HeaderMap) -> Result<Self, Problem> {
        let client = headers
            .get("x-forwarded-for")
            .and_then(|value| value.to_str().ok())
            .and_then(|list| list.split(',').next())
            .map(|address| address.trim().chars().take(64).collect());
        let Some(value) = headers.get(HEADER) else {
            return Ok(Self { client, ..Self::mint() });
        };
        match value.to_str() {
            Ok(id) if is_plain(id) => Ok(Self { id: id.to_owned(), client }),
            _ => Err(Problem::new(
                kernel::Kind::Malformed,
                "invalid_correlation_id",
                "X-Correlation-Id is 1 to 128 letters, digits, dots, dashes and underscores.",
            )),
        }
    }
}

fn is_plain(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl<S: Sync> FromRequestParts<S> for Correlation {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::mint))
    }
}
