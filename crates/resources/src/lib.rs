//! The resource service: the catalogue of what can be booked, of its types, places and amenities.

pub mod api;
pub mod config;
pub mod error;
pub mod location;
pub mod name;
pub mod on;
pub mod parts;
pub mod personal_data;
pub mod resource;
pub mod rules;
pub mod store;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::get;
use platform::auth::Verifier;
use platform::db::migrate::Schema;
use platform::internal::InternalToken;
use platform::service::Context;
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

pub use config::Config;

/// The service's name: of its schema, its role and its metrics.
pub const NAME: &str = "resources";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What a handler works with.
#[derive(Debug, Clone)]
pub struct App {
    /// Database, clock, keys.
    pub context: Context,
    /// The service's settings.
    pub config: Arc<Config>,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.context.verifier.clone()
    }
}

impl FromRef<App> for InternalToken {
    fn from_ref(app: &App) -> Self {
        app.context.internal.clone()
    }
}

/// The service's schema.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(NAME, &MIGRATIONS)
}

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Reservas: resources",
    description = "The catalogue of what can be booked, of its types, places and amenities.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// Every public operation.
pub fn api() -> OpenApiRouter<App> {
    let import = routes!(api::import_resources::import_resources);
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(
            api::list_resource_types::list_resource_types,
            api::create_resource_type::create_resource_type
        ))
        .routes(routes!(api::get_resource_type::get_resource_type))
        .routes(routes!(api::list_locations::list_locations, api::create_location::create_location))
        .routes(routes!(api::get_location::get_location))
        .routes(routes!(api::list_amenities::list_amenities, api::create_amenity::create_amenity))
        .routes(routes!(api::get_amenity::get_amenity))
        .routes(routes!(api::list_resources::list_resources, api::create_resource::create_resource))
        .routes(import.layer(DefaultBodyLimit::max(api::import_resources::MAX_BODY)))
        .routes(routes!(api::get_resource::get_resource))
        .routes(routes!(api::update_resource::update_resource))
        .routes(routes!(api::retire_resource::retire_resource))
        .routes(routes!(api::get_resources_audit::get_resources_audit))
        .routes(routes!(api::get_rules::get_rules, api::put_rules::put_rules))
        .routes(routes!(api::list_rule_versions::list_rule_versions))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = api().into_openapi();
    platform::openapi::complete(&mut document);
    document
}

/// Starts to hear who is in which group, and gives the routes; the service has nothing timed.
///
/// # Errors
/// When the default time zone is none.
#[expect(clippy::unused_async, reason = "every service starts the same way")]
pub async fn start(context: Context, config: Config) -> Result<Router, String> {
    let zone = &config.default_time_zone;
    let default_time_zone = resource::time_zone(zone)
        .ok_or_else(|| format!("RESERVAS_RESOURCES_DEFAULT_TIME_ZONE: there is no time zone {zone:?}"))?;
    let app = App { context, config: Arc::new(Config { default_time_zone, ..config }) };
    tokio::spawn(on::people(&app).run(app.context.shutdown.clone()));
    Ok(routes(app))
}

/// The routes alone, without anything that runs by itself.
pub fn routes(app: App) -> Router {
    let internal = "/internal/organizations/{organization_id}/resources/{id}";
    let (router, _) = api().route(internal, get(api::get_state::get_state)).split_for_parts();
    let (db, token) = (app.context.db.clone(), app.context.internal.clone());
    let told = platform::personal_data::routes(db, token, personal_data::PARTS);
    router.with_state(app).merge(told)
}
