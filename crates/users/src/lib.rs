//! The user service: organizations, accounts, passwords, sessions, and the keys that access tokens are signed with.

pub mod account;
pub mod api;
pub mod aside;
pub mod client_key;
pub mod config;
pub mod device;
pub mod error;
pub mod giving;
pub mod group_names;
pub mod group_rule;
pub mod hashing;
pub mod jobs;
pub mod letter;
pub mod naming;
pub mod opaque_token;
pub mod organization;
pub mod pages;
pub mod passkey;
pub mod password;
pub mod personal_data;
pub mod profile;
pub mod scim;
pub mod second_factor;
pub mod settings;
pub mod setup;
pub mod single_sign_on;
pub mod store;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post};
use platform::auth::Verifier;
use platform::db::migrate::Schema;
use platform::http::Problem;
use platform::internal::InternalToken;
use platform::service::Context;
use tokio::sync::{Notify, Semaphore};
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

pub use config::Config;
pub use setup::{
    FirstAdministrator, Listed, bootstrap, create_organization, list_organizations, set_active, set_hosts,
};

use aside::Aside;
use error::Error;
use hashing::Passwords;
use passkey::RelyingParty;
use single_sign_on::provider::Providers;
use store::archive::Archives;
use store::sealed::SEALED;
use store::signing_keys::Signers;
use token::Signer;

/// The service's name: of its schema, its role and its metrics.
pub const NAME: &str = "users";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What a handler works with.
#[derive(Debug, Clone)]
pub struct App {
    /// Database, clock, keys.
    pub context: Context,
    /// The service's settings.
    pub config: Arc<Config>,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Looks into wishes for mails beside the answer.
    aside: Aside,
    /// Puts archives of what is known of people together.
    pub archives: Archives,
    /// One for each import that is under way.
    imports: Arc<Semaphore>,
    relying_party: Option<Arc<RelyingParty>>,
    signers: Signers,
    /// The identity providers of the organizations.
    pub providers: Providers,
    /// Told when the rule of a group changed.
    rules_changed: Arc<Notify>,
}

/// Imports under way at the same time; more are answered 503.
const IMPORTS: usize = 2;

impl App {
    /// Out of what the host gives.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn new(context: Context, config: Config) -> Result<Self, String> {
        config.check()?;
        let passwords = Passwords::new(&config);
        let archives = Archives::new(&context, &config);
        let relying_party = RelyingParty::new(&config)?.map(Arc::new);
        let patience = Duration::from_secs(config.identity_provider_timeout_seconds.into());
        let providers = Providers::new(patience, config.reach()?)?;
        Ok(Self {
            context,
            config: Arc::new(config),
            passwords,
            aside: Aside::default(),
            archives,
            imports: Arc::new(Semaphore::new(IMPORTS)),
            relying_party,
            signers: Signers::default(),
            providers,
            rules_changed: Arc::default(),
        })
    }

    /// The installation as authenticators know it.
    ///
    /// # Errors
    /// 409 `passkeys_unavailable` where people reach it at no name.
    pub fn relying_party(&self) -> Result<&RelyingParty, Error> {
        self.relying_party.as_deref().ok_or(Error::PasskeysUnavailable)
    }

    /// What signs access tokens now; made when there is none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signer(&self) -> Result<Signer, Problem> {
        self.signers.current(&self.context, self.context.clock.now()).await
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
    title = "Reservas: users",
    description = "Organizations, accounts, passwords, sessions, and the keys that access tokens are signed with.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// Every public operation.
pub fn api() -> OpenApiRouter<App> {
    let import = routes!(api::import_users::import_users);
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(import.layer(DefaultBodyLimit::max(api::import_users::MAX_BODY)))
        .routes(routes!(api::register::register))
        .routes(routes!(api::login::login))
        .routes(routes!(api::refresh::refresh))
        .routes(routes!(api::logout::logout))
        .routes(routes!(api::verify_email::verify_email))
        .routes(routes!(api::resend_verification::resend_verification))
        .routes(routes!(api::accept_invitation::accept_invitation))
        .routes(routes!(api::list_invitations::list_invitations, api::create_invitation::create_invitation))
        .routes(routes!(api::revoke_invitation::revoke_invitation))
        .routes(routes!(api::get_key_set::get_key_set))
        .routes(routes!(api::get_me::get_me, api::update_me::update_me, api::delete_me::delete_me))
        .routes(routes!(api::export_me::export_me))
        .routes(routes!(api::export_user::export_user))
        .routes(routes!(api::get_users_audit::get_users_audit))
        .routes(routes!(api::change_email::change_email))
        .routes(routes!(api::confirm_email::confirm_email))
        .routes(routes!(api::change_password::change_password))
        .routes(routes!(
            api::get_organization::get_organization,
            api::update_organization::update_organization
        ))
        .routes(routes!(api::second_factor_login::second_factor_login))
        .routes(routes!(api::step_up::step_up))
        .merge(passkeys())
        .merge(pages_of_links())
        .merge(sign_on())
        .routes(routes!(api::forgot_password::forgot_password))
        .routes(routes!(api::reset_password::reset_password))
        .routes(routes!(api::issue_token::issue_token))
        .routes(routes!(api::list_sessions::list_sessions, api::end_other_sessions::end_other_sessions))
        .routes(routes!(api::end_session::end_session))
        .routes(routes!(api::start_totp::start_totp))
        .routes(routes!(api::confirm_totp::confirm_totp))
        .routes(routes!(api::replace_recovery_codes::replace_recovery_codes))
        .routes(routes!(api::disable_second_factor::disable_second_factor))
        .routes(routes!(
            api::get_sign_in_policy::get_sign_in_policy,
            api::put_sign_in_policy::put_sign_in_policy
        ))
        .routes(routes!(api::list_api_keys::list_api_keys, api::create_api_key::create_api_key))
        .routes(routes!(api::revoke_api_key::revoke_api_key))
        .routes(routes!(api::create_service_account::create_service_account))
        .routes(routes!(api::list_users::list_users, api::create_user::create_user))
        .routes(routes!(
            api::get_user::get_user,
            api::update_user::update_user,
            api::delete_user::delete_user
        ))
        .routes(routes!(api::list_groups::list_groups, api::create_group::create_group))
        .routes(routes!(api::delete_group::delete_group))
        .routes(routes!(api::put_group_rule::put_group_rule, api::delete_group_rule::delete_group_rule))
        .routes(routes!(api::export_users::export_users))
        .routes(routes!(api::add_member::add_member, api::remove_member::remove_member))
}

/// Passkeys, and what is done with them.
fn passkeys() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::begin_step_up::begin_step_up))
        .routes(routes!(api::begin_passkey_login::begin_passkey_login))
        .routes(routes!(api::passkey_login::passkey_login))
        .routes(routes!(api::begin_passkey::begin_passkey))
        .routes(routes!(api::list_passkeys::list_passkeys, api::add_passkey::add_passkey))
        .routes(routes!(api::remove_passkey::remove_passkey))
}

/// What links in mails lead to.
fn pages_of_links() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::pages::show_verify_email))
        .routes(routes!(api::pages::show_confirm_email))
        .routes(routes!(api::pages::show_accept_invitation))
        .routes(routes!(api::pages::show_reset_password))
}

/// Sign-in through an identity provider.
fn sign_on() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::start_single_sign_on::start_single_sign_on))
        .routes(routes!(api::finish_single_sign_on::finish_single_sign_on))
        .routes(routes!(api::redeem_single_sign_on::redeem_single_sign_on))
        .routes(routes!(api::step_up_single_sign_on::step_up_single_sign_on))
        .routes(routes!(api::link_single_sign_on::link_single_sign_on))
        .routes(routes!(api::unlink_single_sign_on::unlink_single_sign_on))
        .routes(routes!(
            api::get_single_sign_on::get_single_sign_on,
            api::put_single_sign_on::put_single_sign_on,
            api::delete_single_sign_on::delete_single_sign_on
        ))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = api().into_openapi();
    platform::openapi::complete(&mut document);
    document
}

/// Makes sure that secrets can be sealed and that there is a signing key, and gives the routes.
///
/// # Errors
/// When a setting is out of its range, or a sealing key is missing.
pub async fn start(context: Context, config: Config) -> Result<Router, String> {
    let app = App::new(context, config)?;
    SEALED.start(&app.context).await?;
    // A database that is down shows in readiness; the first sign-in after it is back tries again.
    if let Err(problem) = app.signer().await {
        tracing::warn!(code = problem.code, "no signing key yet");
    }
    tokio::spawn(jobs::run(app.clone()));
    tokio::spawn(jobs::sweep_groups::run(app.clone()));
    let contact = "/internal/organizations/{organization_id}/users/{user_id}/contact";
    let link = "/internal/organizations/{organization_id}/password-resets/{reset_id}/link";
    let account = "/internal/organizations/{organization_id}/users/{user_id}/account";
    let letter = "/internal/organizations/{organization_id}/letters/{letter_id}/write";
    let (router, _) = api()
        .route(letter, post(api::write_letter::write_letter))
        .route(contact, get(api::get_contact::get_contact))
        .route(account, get(api::get_account::get_account))
        .route("/health/read-only", get(api::get_read_only::get_read_only))
        .route(link, post(api::make_reset_link::make_reset_link))
        .route(platform::auth::revocations::PATH, get(api::get_revocations::get_revocations))
        .split_for_parts();
    Ok(router.merge(api::operator::routes()).merge(api::scim::routes()).with_state(app))
}
