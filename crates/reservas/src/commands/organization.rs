//! `reservas org`: organizations of an installation.

use clap::Subcommand;
use platform::config::Secret;
use tokio_util::sync::CancellationToken;

use super::service::database_url;
use crate::console::say;
use crate::settings::Settings;
use crate::wiring::{Service, migrate_schemas};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an organization with its first administrator, whose password is shown once.
    Create {
        /// Its short name: lower-case letters, digits and dashes.
        slug: String,
        /// Its name.
        #[arg(long)]
        name: String,
        /// The administrator's address.
        #[arg(long)]
        admin_email: String,
    },
}

/// Runs the command.
///
/// # Errors
/// One line that says what went wrong.
pub async fn run(mut settings: Settings, command: Command) -> Result<(), String> {
    let url = database_url(&settings)?.to_owned();
    migrate_schemas(&url, &[Service::Users]).await?;
    settings.users.server.database_url = Secret::default();
    let context = Service::Users.context(&settings, &url, CancellationToken::new())?;
    let Command::Create { slug, name, admin_email } = command;
    let created =
        users::create_organization(&context, &settings.users, &slug, &name, &admin_email, None).await;
    let admin = created.map_err(|problem| problem.detail)?;
    let password = admin.password.as_ref().map_or("(the password you set)", Secret::expose);
    say(format_args!("{slug}: the administrator, shown this once: {} {password}", admin.email));
    Ok(())
}
