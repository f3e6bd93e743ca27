//! `reservas users|resources|bookings|notifications`: one service as a process of its own.

use platform::config::Secret;
use platform::http::serve::serve;

use super::cancelled_by_signal;
use crate::console::say;
use crate::settings::Settings;
use crate::wiring::{Service, migrate_schemas};

/// The database's URL, which every command but `all` needs.
///
/// # Errors
/// When it is not set.
pub fn database_url(settings: &Settings) -> Result<&str, String> {
    settings
        .database_url
        .get()
        .ok_or_else(|| "DATABASE_URL is not set (only `reservas all` brings its own database)".into())
}

/// Runs a service until a signal.
///
/// # Errors
/// One line that says what went wrong and what to do.
pub async fn run(settings: Settings, service: Service) -> Result<(), String> {
    if settings.internal_token.get().is_none_or(|token| token.len() < 32) {
        return Err(
            "RESERVAS_INTERNAL_TOKEN must be set to the same 32 characters or more for all services".into()
        );
    }
    // With a login of its own, the service may not change schemas: `reservas migrate` has done so.
    let own = service.server(&settings).database_url.get();
    let url = match own {
        Some(url) => url,
        None => {
            let url = database_url(&settings)?;
            migrate_schemas(url, &[service]).await?;
            url
        }
    };
    let listener = service.listen(&settings, "0.0.0.0").await?;
    let shutdown = cancelled_by_signal()?;
    let context = service.context(&settings, url, shutdown.clone())?;
    if service == Service::Users {
        let password = settings.admin_password.get();
        let first = users::bootstrap(&context, &settings.users, &settings.admin_email, password).await;
        if let Some(first) = first.map_err(|problem| problem.detail)? {
            let password = first.password.as_ref().map_or("(the password you set)", Secret::expose);
            say(format_args!("The administrator, shown this once: {} {password}", first.email));
        }
    }
    let database = context.db.clone();
    let router = service.start(&settings, context).await?;
    say(format_args!(
        "{} listens on {}",
        service.name(),
        listener.local_addr().map_err(|error| error.to_string())?
    ));
    let served = serve(router, listener, shutdown).await.map_err(|error| error.to_string());
    database.close().await;
    served
}
