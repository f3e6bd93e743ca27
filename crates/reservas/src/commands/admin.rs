//! `reservas admin`: what an operator does now and then.

use clap::Subcommand;
use platform::config::Secret;
use tokio_util::sync::CancellationToken;
use users::store::signing_keys;

use super::service::database_url;
use crate::console::say;
use crate::settings::Settings;
use crate::wiring::{Service, migrate_schemas};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The keys with which access tokens are signed.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        command: Keys,
    },
}

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a new key. It is shown to all services before it signs, and the old one until its last token has expired.
    Rotate {
        /// The old key is not to be trusted: the new one signs from now on, and everybody has to refresh.
        #[arg(long)]
        at_once: bool,
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
    let Command::Keys { command: Keys::Rotate { at_once } } = command;
    let rotated = signing_keys::rotate(&context.db, context.clock.now(), at_once).await;
    let from = rotated.map_err(|problem| problem.detail)?;
    say(format_args!("a new key signs from {from} on"));
    Ok(())
}
