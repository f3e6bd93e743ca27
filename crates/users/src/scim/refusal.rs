//! Why a SCIM request fails, in the form that its clients know (RFC 7644, section 3.12).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use platform::http::Problem;
use serde_json::json;

use super::MEDIA_TYPE;

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The RFC's name of what is wrong.
    pub scim_type: Option<&'static str>,
    /// A sentence for people.
    pub detail: String,
    /// After how many seconds a repetition may succeed.
    pub retry_after: Option<u32>,
}

/// The type of a value that somebody else has (RFC 7644, section 3.12).
const UNIQUENESS: Option<&str> = Some("uniqueness");

impl Refusal {
    /// A refusal of a status.
    #[must_use]
    pub fn new(status: StatusCode, scim_type: Option<&'static str>, detail: impl Into<String>) -> Self {
        Self { status, scim_type, detail: detail.into(), retry_after: None }
    }

    /// 400 with a `scimType`.
    #[must_use]
    pub fn bad(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some(scim_type), detail)
    }

    /// 400 `invalidValue`.
    #[must_use]
    pub fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    /// 409 `uniqueness`.
    #[must_use]
    pub fn taken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, UNIQUENESS, detail)
    }

    /// 404, also for what belongs to another organization.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, None, "There is no such resource.")
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let scim_type = match problem.code {
            "email_taken" | "name_taken" => UNIQUENESS,
            "invalid_input" => Some("invalidValue"),
            _ => None,
        };
        // SCIM's statuses have no 422.
        let status = match problem.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        let retry_after = problem.retry_after;
        Self { status, scim_type, detail: format!("{} ({})", problem.detail, problem.code), retry_after }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.into();
        }
        let mut response =
            (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
