//! The documentation that the gateway serves itself: the API's document, a page to try it on, the list of errors.

use axum::Router;

/// The document as it is committed (a test compares it with the code): to make it anew would touch the code of every
/// service, and so keep 18 MB of it in memory.
const DOCUMENT: &str = include_str!("../../../openapi/reservas.json");
/// The list of every problem code.
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// What the gateway answers without asking a service.
pub const PATHS: [&str; 2] = ["/api/docs", "/api/openapi.json"];

/// The documentation's routes.
pub fn router() -> Router {
    platform::openapi::router(DOCUMENT, ERRORS)
}
