//! OpenAPI documents: what every operation has in common is added here, and the interactive documentation is served.

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use http::header;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, path::Operation};
use utoipa::{PartialSchema as _, ToSchema};

use crate::http::FieldError;

/// An RFC 9457 problem document; `docs/errors.md` lists the codes.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// A stable reference that documents the code.
    #[schema(example = "/api/docs/errors#not_found")]
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// A sentence for people.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// The stable name of the failure.
    #[schema(example = "not_found")]
    pub code: String,
    /// What the operator needs to find the request.
    pub correlation_id: String,
    /// What is wrong with the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
}

/// Adds to every operation what is true of all: problems as the default answer, the bearer token.
///
/// An operation without `x-permission` is public and takes no token.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components.schemas.insert("Problem".into(), ProblemDocument::schema());
    components.schemas.insert("FieldError".into(), FieldError::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(complete_operation);
    }
}

fn complete_operation(operation: &mut Operation) {
    let problem = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Problem")))).build();
    let answer = ResponseBuilder::new()
        .description("Every failure is a problem document.")
        .content("application/problem+json", problem)
        .build();
    operation.responses.responses.insert("default".into(), answer.into());
    let is_public =
        operation.extensions.as_ref().is_none_or(|extensions| !extensions.contains_key("x-permission"));
    if !is_public {
        operation.security =
            Some(vec![utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])]);
    }
}

/// The documentation: the document, a page to try it on, and the list of error codes. Nothing is fetched from elsewhere.
pub fn router(document: &'static str, errors: &'static str) -> Router {
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], document) };
    let errors = move || async move { ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], errors) };
    let page = utoipa_swagger_ui::SwaggerUi::new("/api/docs/ui")
        .config(utoipa_swagger_ui::Config::from("/api/openapi.json"));
    Router::new()
        .route("/api/openapi.json", get(json))
        .route("/api/docs/errors", get(errors))
        .route("/api/docs", get(|| async { Redirect::to("/api/docs/ui/") }))
        .merge(page)
}
