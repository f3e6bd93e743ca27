//! The booking service: claims that cannot overlap, bookings and their life, availability.

pub mod api;
pub mod attributes;
pub mod booking;
pub mod config;
pub mod credit;
pub mod error;
pub mod free;
pub mod guest;
pub mod jobs;
pub mod live;
pub mod on;
pub mod origins;
pub mod personal_data;
pub mod policy;
pub mod quota;
pub mod quote;
pub mod recurrence;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod series;
pub mod store;
pub mod terms;
pub mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use platform::auth::Verifier;
use platform::db::migrate::Schema;
use platform::internal::InternalToken;
use platform::remote::Remote;
use platform::service::Context;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use config::Config;
use store::live::Hub;

/// The service's name: of its schema, its role and its metrics.
pub const NAME: &str = "bookings";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What a handler works with.
#[derive(Debug, Clone)]
pub struct App {
    /// Database, clock, keys.
    pub context: Context,
    /// The service's settings.
    pub config: Arc<Config>,
    /// The resource service, for what is not known here yet.
    pub resources: Remote,
    /// The user service, likewise.
    pub users: Remote,
    /// What screens that stay open are told.
    pub live: Arc<Hub>,
}

impl App {
    /// With its settings.
    #[must_use]
    pub fn new(context: Context, config: Config) -> Self {
        let remote = |name, url| Remote::new(name, url, context.client.clone(), context.internal.clone());
        let resources = remote("resources", &config.resources_url);
        let users = remote("users", &config.users_url);
        Self { context, config: Arc::new(config), resources, users, live: Arc::default() }
    }
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
    title = "Reservas: bookings",
    description = "Claims that cannot overlap, bookings and their life, availability.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// Every public operation.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(api::list_bookings::list_bookings, api::create_booking::create_booking))
        .routes(routes!(api::get_booking::get_booking, api::update_booking::update_booking))
        .routes(routes!(api::move_booking::move_booking))
        .routes(routes!(api::confirm_booking::confirm_booking))
        .routes(routes!(api::cancel_booking::cancel_booking))
        .routes(routes!(api::reinstate_booking::reinstate_booking))
        .routes(routes!(api::transfer_booking::transfer_booking))
        .routes(routes!(api::swap_bookings::swap_bookings))
        .routes(routes!(api::approve_booking::approve_booking))
        .routes(routes!(api::reject_booking::reject_booking))
        .routes(routes!(api::check_in::check_in))
        .routes(routes!(api::check_out::check_out))
        .routes(routes!(api::get_booking_history::get_booking_history))
        .routes(routes!(api::list_approvals::list_approvals))
        .routes(routes!(api::list_delegations::list_delegations, api::create_delegation::create_delegation))
        .routes(routes!(api::end_delegation::end_delegation))
        .routes(routes!(api::list_blackouts::list_blackouts, api::create_blackout::create_blackout))
        .routes(routes!(api::remove_blackout::remove_blackout))
        .routes(routes!(api::list_series::list_series, api::create_series::create_series))
        .routes(routes!(api::preview_series::preview_series))
        .routes(routes!(api::get_series::get_series))
        .routes(routes!(api::change_series::change_series))
        .routes(routes!(api::cancel_series::cancel_series))
        .routes(routes!(api::list_waitlist::list_waitlist, api::join_waitlist::join_waitlist))
        .routes(routes!(api::leave_waitlist::leave_waitlist))
        .routes(routes!(api::search_availability::search_availability))
        .routes(routes!(api::get_free_busy::get_free_busy))
        .routes(routes!(api::get_schedule::get_schedule))
        .routes(routes!(api::get_effective_policy::get_effective_policy))
        .routes(routes!(api::get_next_free::get_next_free))
        .routes(routes!(api::get_calendar::get_calendar))
        .routes(routes!(api::list_conflicts::list_conflicts))
        .routes(routes!(api::resolve_conflict::resolve_conflict))
        .routes(routes!(api::get_audit::get_audit))
        .routes(routes!(api::get_report::get_report))
        .routes(routes!(api::watch_live::watch_live))
        .routes(routes!(api::try_policy::try_policy))
        .routes(routes!(api::get_credits::get_credits))
        .routes(routes!(api::grant_credit::grant_credit))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = api().into_openapi();
    platform::openapi::complete(&mut document);
    document
}

/// Starts the consumers and jobs, and gives the routes.
///
/// # Errors
/// When a consumer cannot be set up.
#[expect(clippy::unused_async, reason = "every service starts the same way")]
pub async fn start(context: Context, config: Config) -> Result<Router, String> {
    let app = App::new(context, config);
    tokio::spawn(on::catalogue(&app).run(app.context.shutdown.clone()));
    tokio::spawn(on::people(&app).run(app.context.shutdown.clone()));
    tokio::spawn(jobs::run(app.clone()));
    Ok(routes(app))
}

/// The routes alone, without anything that runs by itself.
pub fn routes(app: App) -> Router {
    let internal = "/internal/organizations/{organization_id}/bookings/{id}";
    let (router, _) = api().route(internal, get(api::get_details::get_details)).split_for_parts();
    let (db, token) = (app.context.db.clone(), app.context.internal.clone());
    let told = platform::personal_data::routes(db, token, personal_data::PARTS);
    router.with_state(app).merge(told)
}
