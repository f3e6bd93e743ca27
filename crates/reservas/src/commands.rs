//! The command line: one file per command that is more than a few lines.

pub mod admin;
pub mod gateway;
pub mod healthcheck;
pub mod organization;
pub mod service;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::console::say;
use crate::settings::Settings;
use crate::wiring::{Service, migrate_schemas};
use crate::{all, openapi};

/// Reservations of rooms, desks, equipment, vehicles and lab time.
#[derive(Debug, Parser)]
#[command(name = "reservas", version, about)]
pub struct Arguments {
    /// A configuration file (TOML).
    #[arg(long, short = 'f', global = true, env = crate::settings::FILE, hide_env_values = true)]
    config: Option<PathBuf>,
    /// The gateway's port; the services follow at +1 to +4.
    #[arg(long, global = true)]
    port_base: Option<u16>,
    /// Where `all` keeps everything.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All five services in this process, with a private PostgreSQL unless DATABASE_URL is set.
    All,
    /// The API gateway.
    Gateway {
        #[command(subcommand)]
        command: gateway::Command,
    },
    /// The user service.
    Users,
    /// The resource service.
    Resources,
    /// The booking service.
    Bookings,
    /// The notification service.
    Notifications,
    /// Bring the database up to date, and end.
    Migrate,
    /// Print the OpenAPI document of the whole.
    Openapi {
        /// Write every document into a folder instead: `openapi/` when none is named.
        #[arg(long, num_args = 0..=1, default_missing_value = "openapi")]
        write: Option<PathBuf>,
    },
    /// Organizations.
    Org {
        #[command(subcommand)]
        command: organization::Command,
    },
    /// What an operator does now and then.
    Admin {
        #[command(subcommand)]
        command: admin::Command,
    },
    /// Print the settings in force, secrets hidden.
    Config,
    /// Ask a service whether it lives; for container health checks.
    Healthcheck(healthcheck::Arguments),
}

/// Runs the command.
///
/// # Errors
/// One line that says what went wrong and what to do.
pub async fn run(arguments: Arguments) -> Result<(), String> {
    let Arguments { config, port_base, data_dir, command } = arguments;
    let settings = Settings::load(config.as_deref(), port_base, data_dir.as_deref())
        .map_err(|error| error.to_string())?;
    if !matches!(command, Command::Openapi { .. } | Command::Config | Command::Healthcheck(_)) {
        platform::telemetry::init(&settings.log)?;
    }
    match command {
        Command::All => all::run(settings).await,
        Command::Gateway { command } => gateway::run(settings, command).await,
        Command::Users => service::run(settings, Service::Users).await,
        Command::Resources => service::run(settings, Service::Resources).await,
        Command::Bookings => service::run(settings, Service::Bookings).await,
        Command::Notifications => service::run(settings, Service::Notifications).await,
        Command::Migrate => migrate_schemas(service::database_url(&settings)?, &Service::ALL).await,
        Command::Openapi { write: Some(folder) } => {
            openapi::write(&folder).map_err(|error| error.to_string())
        }
        Command::Openapi { write: None } => {
            say(openapi::whole().to_pretty_json().map_err(|error| error.to_string())?);
            Ok(())
        }
        Command::Org { command } => organization::run(settings, command).await,
        Command::Admin { command } => admin::run(settings, command).await,
        Command::Config => {
            say(toml::to_string(&settings).map_err(|error| error.to_string())?);
            Ok(())
        }
        Command::Healthcheck(arguments) => healthcheck::run(&settings, arguments).await,
    }
}

/// A future that resolves at Ctrl-C or SIGTERM. From this call on they no longer end the process by themselves.
///
/// # Errors
/// When signals cannot be heard.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send, String> {
    let hear = |kind| signal(kind).map_err(|error| format!("signals cannot be heard: {error}"));
    let (mut interrupt, mut terminate) = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A token that is cancelled at Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals cannot be heard.
pub fn cancelled_by_signal() -> Result<CancellationToken, String> {
    let (shutdown, stop) = (CancellationToken::new(), stop_signal()?);
    let cancel = shutdown.clone();
    tokio::spawn(async move {
        stop.await;
        cancel.cancel();
    });
    Ok(shutdown)
}
