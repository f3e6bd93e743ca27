//! The documentation that the gateway serves itself: the API's document, a page to try it on, the list of errors.

use axum::Router;

/// The list of every problem code.
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// What the gateway answers without asking a service.
pub const PATHS: [&str; 2] = ["/api/docs", "/api/openapi.json"];

/// The documentation's routes.
///
/// # Errors
/// When the document cannot be written as JSON.
pub fn router() -> Result<Router, serde_json::Error> {
    // Made once and kept for the process's life.
    let document: &'static str = crate::openapi::whole().to_json()?.leak();
    Ok(platform::openapi::router(document, ERRORS))
}
