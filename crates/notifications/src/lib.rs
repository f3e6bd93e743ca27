//! The notification service: hears what happened, decides who is told, and delivers it once.

pub mod account;
pub mod api;
pub mod calendar;
pub mod channel;
pub mod config;
pub mod delivery;
pub mod device;
pub mod error;
pub mod fate;
pub mod inbox;
pub mod jobs;
pub mod letter;
pub mod mail;
pub mod message;
pub mod on;
pub mod peers;
pub mod personal_data;
pub mod phone;
pub mod preferences;
pub mod push;
pub mod sms;
pub mod store;
pub mod suppression;
pub mod templates;
pub mod webhooks;
pub mod wording;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use lettre::message::Mailbox;
use platform::auth::Verifier;
use platform::config::Secret;
use platform::db::migrate::Schema;
use platform::internal::InternalToken;
use platform::service::Context;
use tokio::sync::watch;
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use channel::{Outbox, Provider, Providers, address};
pub use config::Config;
use fate::sendgrid::EventKey;
use fate::sns::Topic;
use sms::Text;
use webhooks::guard::Guard;

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
    /// Who takes mails.
    pub providers: Arc<Providers>,
    /// Who takes pushes to devices.
    pub pushers: Arc<push::Pushers>,
    /// Who takes short messages; none when nobody is set up.
    pub texters: Option<Arc<Providers<Text>>>,
    /// By which SendGrid signs what it tells; none when nothing is heard.
    pub event_key: Option<Arc<EventKey>>,
    /// Through which Amazon SES tells; none when nothing is heard.
    pub topic: Option<Arc<Topic>>,
    /// With which Twilio signs what it tells.
    pub twilio_tokens: Arc<Vec<Secret>>,
    /// Makes requests to integrators.
    pub webhooks: Arc<webhooks::Client>,
    /// Wakes whoever delivers: something may be due.
    pub due: watch::Sender<()>,
    /// Inboxes that are open.
    pub inbox: Arc<store::inbox::Hub>,
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
        let sender: Mailbox =
            config.from.parse().map_err(|error| format!("from is not a mailbox: {error}"))?;
        for (name, url) in [("users_url", &config.users_url), ("bookings_url", &config.bookings_url)] {
            if url.is_empty() {
                return Err(format!("{name} is not set"));
            }
        }
        if !(1..=100).contains(&config.max_attempts) {
            return Err("max_attempts must be 1 to 100".into());
        }
        let providers = Arc::new(providers(&config, &context.client)?);
        let texters = texters(&config, &context.client)?.map(Arc::new);
        let guard = Guard::new(&config.webhook_networks)?;
        let pushers = push::Pushers::new(&config.push, sender.email.as_ref(), &guard, &context.client)?;
        let webhooks = Arc::new(webhooks::Client::new(guard)?);
        let event_key = event_key(&config)?.map(Arc::new);
        let topic = topic(&config, &context.client).map(Arc::new);
        let twilio_tokens = Arc::new(twilio_tokens(&config));
        let inbox = Arc::default();
        Ok(Self {
            context,
            config: Arc::new(config),
            sender,
            providers,
            pushers: Arc::new(pushers),
            texters,
            event_key,
            topic,
            twilio_tokens,
            webhooks,
            due: watch::Sender::new(()),
            inbox,
        })
    }
}

/// Who takes mails: those that are set, else the outbox.
fn event_key(config: &Config) -> Result<Option<EventKey>, String> {
    let key = config.sendgrid_event_key.as_str();
    (!key.is_empty()).then(|| EventKey::parse(key)).transpose()
}

fn topic(config: &Config, client: &reqwest::Client) -> Option<Topic> {
    let arn = config.ses_topic.as_str();
    (!arn.is_empty()).then(|| Topic::new(arn, &config.sns_endpoint, client.clone()))
}

fn twilio_tokens(config: &Config) -> Vec<Secret> {
    let urls = [&config.sms_url, &config.second_sms_url];
    urls.into_iter().filter_map(|url| address::twilio_token(url.get()?)).collect()
}

fn texters(config: &Config, client: &reqwest::Client) -> Result<Option<Providers<Text>>, String> {
    let rate = config.sms_rate;
    let to = address::To { client, rate, tracks_opens: false, link_url: &config.link_url };
    let urls = [("sms_url", &config.sms_url), ("second_sms_url", &config.second_sms_url)];
    address::providers("sms_rate", rate, urls, |url| to.text(url))
}

fn providers(config: &Config, client: &reqwest::Client) -> Result<Providers, String> {
    let (rate, tracks_opens) = (config.mail_rate, config.tracks_opens);
    let to = address::To { client, rate, tracks_opens, link_url: &config.link_url };
    let urls = [("mail_url", &config.mail_url), ("second_mail_url", &config.second_mail_url)];
    match address::providers("mail_rate", config.mail_rate, urls, |url| to.mail(url))? {
        Some(providers) => Ok(providers),
        None if config.outbox_dir.is_empty() => Err("set mail_url, or outbox_dir for mails as files".into()),
        None => Ok(Providers::new(Provider::new("outbox", Outbox::new(&config.outbox_dir), 0), None)),
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
        .routes(routes!(api::watch_notifications::watch_notifications))
        .routes(routes!(api::get_notification_statistics::get_notification_statistics))
        .routes(routes!(api::get_unread::get_unread))
        .routes(routes!(api::mark_read::mark_read))
        .routes(routes!(api::list_devices::list_devices, api::add_device::add_device))
        .routes(routes!(api::get_web_push_key::get_web_push_key))
        .routes(routes!(api::remove_device::remove_device))
        .routes(routes!(
            api::get_phone::get_phone,
            api::put_phone::put_phone,
            api::remove_phone::remove_phone
        ))
        .routes(routes!(api::verify_phone::verify_phone))
        .routes(heard(routes!(api::hear_sendgrid::hear_sendgrid)))
        .routes(heard(routes!(api::hear_ses::hear_ses)))
        .routes(heard(routes!(api::hear_twilio::hear_twilio)))
        .routes(routes!(api::list_dead_letters::list_dead_letters))
        .routes(routes!(api::replay_dead_letters::replay_dead_letters))
        .routes(routes!(api::replay_dead_letter::replay_dead_letter))
        .routes(routes!(api::list_attempts::list_attempts))
        .routes(routes!(api::list_suppressions::list_suppressions))
        .routes(routes!(api::add_suppression::add_suppression))
        .routes(routes!(api::remove_suppression::remove_suppression))
        .routes(routes!(api::list_message_templates::list_message_templates))
        .routes(routes!(
            api::get_message_template::get_message_template,
            api::put_message_template::put_message_template,
            api::remove_message_template::remove_message_template
        ))
        .routes(routes!(api::preview_message_template::preview_message_template))
        .routes(routes!(api::test_message_template::test_message_template))
        .routes(routes!(api::get_preferences::get_preferences, api::put_preferences::put_preferences))
        .routes(routes!(
            api::get_preference_rules::get_preference_rules,
            api::put_preference_rules::put_preference_rules
        ))
        .routes(routes!(api::unsubscribe::unsubscribe))
        .routes(routes!(api::list_webhooks::list_webhooks, api::create_webhook::create_webhook))
        .routes(routes!(
            api::get_webhook::get_webhook,
            api::update_webhook::update_webhook,
            api::remove_webhook::remove_webhook
        ))
        .routes(routes!(api::rotate_webhook_secret::rotate_webhook_secret))
        .routes(routes!(api::test_webhook::test_webhook))
        .routes(routes!(api::list_webhook_deliveries::list_webhook_deliveries))
        .routes(routes!(api::get_webhook_delivery::get_webhook_delivery))
        .routes(routes!(api::redeliver_webhook::redeliver_webhook))
}

/// Call-backs of providers, which come in batches.
fn heard(routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    routes.layer(DefaultBodyLimit::max(fate::LONGEST))
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
pub async fn start(context: Context, config: Config) -> Result<Router, String> {
    let app = App::new(context, config)?;
    store::sealed::SEALED.start(&app.context).await?;
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
