//! The notification service: hears what happened, decides who is told, and delivers it once.

pub mod account;
pub mod api;
pub mod calendar;
pub mod channel;
pub mod config;
pub mod delivery;
pub mod error;
pub mod jobs;
pub mod letter;
pub mod mail;
pub mod message;
pub mod on;
pub mod peers;
pub mod personal_data;
pub mod store;
pub mod template;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use lettre::message::Mailbox;
use platform::auth::Verifier;
use platform::db::migrate::Schema;
use platform::internal::InternalToken;
use platform::service::Context;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use channel::{Channel, Outbox, Smtp};
pub use config::Config;

/// The service's name: of its schema, its role and its metrics.
pub const NAME: &str = "notifications";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What a handler works with.
#[derive(Clone)]
pub struct App {
    /// Database, clock, keys.
    pub context: Context,
    /// The service's settings.
    pub config: Arc<Config>,
    /// Who mails come from.
    pub sender: Mailbox,
    /// The way mails go.
    pub channel: Arc<dyn Channel>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({:?})", self.context)
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

impl App {
    /// Checks the settings and sets up the channel they name.
    ///
    /// # Errors
    /// A sentence for the operator, when a setting is missing or wrong.
    pub fn new(context: Context, config: Config) -> Result<Self, String> {
        let sender = config.from.parse().map_err(|error| format!("from is not a mailbox: {error}"))?;
        for (name, url) in [("users_url", &config.users_url), ("bookings_url", &config.bookings_url)] {
            if url.is_empty() {
                return Err(format!("{name} is not set"));
            }
        }
        if !(1..=100).contains(&config.max_attempts) {
            return Err("max_attempts must be 1 to 100".into());
        }
        let channel: Arc<dyn Channel> = match config.smtp_url.get() {
            Some(url) => Arc::new(Smtp::new(url)?),
            None if config.outbox_dir.is_empty() => {
                return Err("set smtp_url, or outbox_dir for mails as files".into());
            }
            None => Arc::new(Outbox::new(&config.outbox_dir)),
        };
        Ok(Self { context, config: Arc::new(config), sender, channel })
    }
}

/// The service's schema.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(NAME, &MIGRATIONS)
}

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Reservas: notifications",
    description = "What people are told of their bookings, and whether it reached them.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// Every public operation.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(api::list_notifications::list_notifications))
        .routes(routes!(api::get_unread::get_unread))
        .routes(routes!(api::mark_read::mark_read))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = api().into_openapi();
    platform::openapi::complete(&mut document);
    document
}

/// Starts the consumers and the deliveries, and gives the routes.
///
/// # Errors
/// When a setting is missing or wrong.
#[expect(clippy::unused_async, reason = "every service starts the same way")]
pub async fn start(context: Context, config: Config) -> Result<Router, String> {
    let app = App::new(context, config)?;
    for consumer in on::consumers(&app) {
        tokio::spawn(consumer.run(app.context.shutdown.clone()));
    }
    tokio::spawn(jobs::run(app.clone()));
    Ok(routes(app))
}

/// The routes alone, without anything that runs by itself.
pub fn routes(app: App) -> Router {
    let (router, _) = api().split_for_parts();
    let (db, token) = (app.context.db.clone(), app.context.internal.clone());
    let told = platform::personal_data::routes(db, token, personal_data::PARTS);
    router.with_state(app).merge(told)
}
