//! Entity tags: a resource's version in `ETag`, `If-None-Match` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1).

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use kernel::Kind;

use super::{Json, Problem};

/// A version as an answer's entity tag: `"3"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub i64);

impl ETag {
    /// The header.
    #[must_use]
    pub fn header(self) -> (HeaderName, HeaderValue) {
        let text = format!("\"{}\"", self.0);
        (header::ETAG, HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"0\"")))
    }

    /// 304 when the request already has this version, otherwise the body with its tag.
    pub fn answer<T: serde::Serialize>(self, request: &HeaderMap, body: T) -> Response {
        let known = request.get(header::IF_NONE_MATCH).is_some_and(|value| lists(value, self.0));
        if known {
            return (StatusCode::NOT_MODIFIED, [self.header()]).into_response();
        }
        ([self.header()], Json(body)).into_response()
    }
}

/// Whether a list of entity tags names the version; weak tags count, as `If-None-Match` compares weakly.
fn lists(value: &HeaderValue, version: i64) -> bool {
    let Ok(list) = value.to_str() else { return false };
    list.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == format!("\"{version}\""))
}

/// The version that a change demands to act on; every change must name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever is there (`*`).
    Any,
    /// This version only.
    Version(i64),
}

impl IfMatch {
    /// Refuses a change of another version than the one the caller saw.
    ///
    /// # Errors
    /// 412 when `current` is not the version named.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        match self {
            Self::Version(version) if version != current => Err(Problem::new(
                Kind::Stale,
                "stale_version",
                "It was changed in the meantime. Read it again and repeat the change.",
            )),
            _ => Ok(()),
        }
    }

    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Ok(None);
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Some(Self::Any));
        }
        let version = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .and_then(|digits| digits.parse().ok());
        match version {
            Some(version) => Ok(Some(Self::Version(version))),
            None => Err(Problem::new(
                Kind::Malformed,
                "invalid_if_match",
                "If-Match is one entity tag, as ETag gave it, or *.",
            )),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)?.ok_or_else(|| {
            Problem::new(
                Kind::VersionRequired,
                "if_match_required",
                "Send If-Match with the ETag of the version you saw.",
            )
        })
    }
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Self::of(&parts.headers)
    }
}
