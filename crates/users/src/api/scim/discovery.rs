//! `/scim/v2/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`: the same for everybody, so nobody has to say who they
//! are. And `/Bulk`, which there is not.

use axum::response::Response;
use http::StatusCode;
use platform::http::Path;
use serde_json::Value;

use super::{answer, page};
use crate::scim::{Refusal, schemas};

pub(super) async fn provider() -> Response {
    answer(StatusCode::OK, &schemas::provider())
}

pub(super) async fn resource_types() -> Response {
    all(&schemas::resource_types())
}

pub(super) async fn resource_type(Path(id): Path<String>) -> Result<Response, Refusal> {
    one(&schemas::resource_types(), &id)
}

pub(super) async fn schemas() -> Response {
    all(&schemas::schemas())
}

pub(super) async fn schema(Path(id): Path<String>) -> Result<Response, Refusal> {
    one(&schemas::schemas(), &id)
}

pub(super) async fn no_bulk() -> Refusal {
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        None,
        "Bulk operations are not supported: send each as a request.",
    )
}

pub(super) async fn nothing() -> Refusal {
    Refusal::not_found()
}

fn all(resources: &[Value]) -> Response {
    page(i64::try_from(resources.len()).unwrap_or(i64::MAX), 1, resources)
}

fn one(resources: &[Value], id: &str) -> Result<Response, Refusal> {
    let found = resources.iter().find(|resource| resource["id"].as_str() == Some(id));
    found.map(|resource| answer(StatusCode::OK, resource)).ok_or_else(Refusal::not_found)
}
