//! axum's extractors, wrapped once, so that a rejection is a problem and validation cannot be forgotten.
#![expect(clippy::disallowed_types, reason = "the one place that wraps axum's bare extractors")]

use axum::RequestExt;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use garde::Validate;
use http::{StatusCode, header, request::Parts};
use kernel::Kind;
use serde::{Serialize, de::DeserializeOwned};

use super::{FieldError, Problem};

/// A JSON body: media type, syntax, unknown fields and garde's rules checked. Also an answer's body.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = json_bytes(request).await?;
        parse(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The raw body of a request that must be JSON.
pub(crate) async fn json_bytes(request: Request) -> Result<Bytes, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = media_type.and_then(|text| text.parse::<mime::Mime>().ok()).is_some_and(|mime| {
        mime.type_() == mime::APPLICATION
            && (mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON))
    });
    if !is_json {
        return Err(Problem::with_status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send the body as application/json.",
        ));
    }
    request.extract::<Bytes, _>().await.map_err(|rejection| body_problem(rejection.into_response().status()))
}

/// What went wrong while a body was read.
#[must_use]
pub fn body_problem(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::with_status(
            status,
            "body_too_large",
            "The body is larger than this operation takes.",
        );
    }
    Problem::new(Kind::Malformed, "malformed_body", "The body could not be read.")
}

/// Parses and validates a JSON body.
///
/// # Errors
/// 400 for broken JSON, 422 for a value or field that is not allowed.
pub fn parse<T: DeserializeOwned + Validate<Context = ()>>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| json_problem(&error))?;
    json.end().map_err(|error| malformed_json(&error))?;
    check(&value)?;
    Ok(value)
}

fn json_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        return malformed_json(inner);
    }
    let pointer = pointer(&error.path().to_string());
    let text = inner.to_string();
    let code = if text.starts_with("unknown field") {
        "unknown_field"
    } else if text.starts_with("missing field") {
        "required"
    } else {
        "invalid_value"
    };
    // The position within the text is noise next to the pointer.
    let detail = text.split(" at line ").next().unwrap_or_default().to_owned();
    Problem::invalid(vec![FieldError { pointer, code: code.into(), detail }])
}

fn malformed_json(error: &serde_json::Error) -> Problem {
    Problem::new(Kind::Malformed, "malformed_json", format!("The body is not JSON: {error}."))
}

/// `attributes.size[2]` as a JSON pointer: `/attributes/size/2`.
fn pointer(path: &str) -> String {
    if path == "." || path.is_empty() {
        return String::new();
    }
    format!("/{}", path.replace("].", "/").replace(['.', '['], "/").replace(']', ""))
}

/// Garde's rules, as entries of a problem.
fn check<T: Validate<Context = ()>>(value: &T) -> Result<(), Problem> {
    value.validate().map_err(|report| {
        let errors = report.iter().map(|(path, error)| FieldError {
            pointer: pointer(&path.to_string()),
            code: "invalid_value".into(),
            detail: error.to_string(),
        });
        Problem::invalid(errors.collect())
    })
}

/// Parameters of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // An id that is no UUID names nothing: the same answer as for an id that names nothing.
        let axum::extract::Path(value) = axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("path"))?;
        Ok(Self(value))
    }
}

/// Parameters of the query: an unknown one is refused when `T` denies unknown fields, as all of ours do.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()>> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) = axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
            let text = rejection.body_text();
            let detail = text.rsplit("query string: ").next().unwrap_or(&text);
            Problem::new(Kind::Malformed, "invalid_query", format!("A query parameter is wrong: {detail}."))
        })?;
        check(&value)?;
        Ok(Self(value))
    }
}
