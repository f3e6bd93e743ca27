//! The `reservas-gateway` binary: `reservas gateway` without the services, which a gateway's host need not load.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use reservas::commands::gateway::{self, Command};
use reservas::launch::launch;
use reservas::settings::{self, Settings};

/// The API gateway of Reservas, as `reservas gateway` runs it.
#[derive(Debug, Parser)]
#[command(name = "reservas-gateway", version, about)]
struct Arguments {
    /// A configuration file (TOML); what it says of the services is not looked at.
    #[arg(long, short = 'f', global = true, env = settings::FILE, hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { config, command } = Arguments::parse();
    launch(async move {
        let settings = Settings::load(config.as_deref(), None, None).map_err(|error| error.to_string())?;
        platform::telemetry::init(&settings.log, !settings.otlp.endpoint.is_empty())?;
        gateway::run(settings, command).await
    })
}
