//! `/scim/v2`: provisioning by an identity provider, as RFC 7644 has it. Not in the OpenAPI document: SCIM describes itself
//! (`/scim/v2/Schemas`), and its clients know nothing else.

mod caller;
mod change_user;
mod discovery;
mod groups;
mod request;
mod users;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::App;
use crate::scim::{MEDIA_TYPE, Refusal};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/scim/v2/Users", get(users::list).post(users::create))
        .route(
            "/scim/v2/Users/{id}",
            get(users::show).put(users::replace).patch(users::patch).delete(users::delete),
        )
        .route("/scim/v2/Groups", get(groups::list).post(groups::create))
        .route(
            "/scim/v2/Groups/{id}",
            get(groups::show).put(groups::replace).patch(groups::patch).delete(groups::delete),
        )
        .route("/scim/v2/ServiceProviderConfig", get(discovery::provider))
        .route("/scim/v2/ResourceTypes", get(discovery::resource_types))
        .route("/scim/v2/ResourceTypes/{id}", get(discovery::resource_type))
        .route("/scim/v2/Schemas", get(discovery::schemas))
        .route("/scim/v2/Schemas/{id}", get(discovery::schema))
        .route("/scim/v2/Bulk", post(discovery::no_bulk))
        .route("/scim/v2/{*other}", any(discovery::nothing))
}

/// An answer with a body.
fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response()
}

/// A resource, with its version where it has one; `made` when it was made by the request.
fn resource(made: bool, etag: Option<&str>, location: &str, body: &Value) -> Response {
    let mut response = answer(if made { StatusCode::CREATED } else { StatusCode::OK }, body);
    let headers = response.headers_mut();
    if let Some(etag) = etag.and_then(|etag| etag.parse().ok()) {
        headers.insert(header::ETAG, etag);
    }
    if let Ok(location) = location.parse() {
        headers.insert(if made { header::LOCATION } else { header::CONTENT_LOCATION }, location);
    }
    response
}

/// A page of resources (RFC 7644, section 3.4.2).
fn page(total: i64, start: i64, resources: &[Value]) -> Response {
    answer(
        StatusCode::OK,
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": resources.len(),
            "Resources": resources,
        }),
    )
}

/// Whether a header of entity tags names a version, which is compared weakly.
fn names(headers: &HeaderMap, name: header::HeaderName, etag: &str) -> Option<bool> {
    let list = headers.get(name)?.to_str().unwrap_or_default();
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    Some(list.split(',').any(|tag| tag.trim() == "*" || strong(tag) == strong(etag)))
}

/// Refuses a change of another version than the one that the caller names, if it names one.
fn check_version(headers: &HeaderMap, etag: &str) -> Result<(), Refusal> {
    match names(headers, header::IF_MATCH, etag) {
        Some(false) => {
            let detail = "It was changed in the meantime. Read it again and repeat the change.";
            Err(Refusal::new(StatusCode::PRECONDITION_FAILED, None, detail))
        }
        _ => Ok(()),
    }
}
