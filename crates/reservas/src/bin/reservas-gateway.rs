//! The `reservas-gateway` binary: `reservas gateway` without the services, which a gateway's host need not load.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use reservas::commands::gateway::{self, Command};
use reservas::launch::launch;
use reservas::settings::{self, Settings};

/// Cheaper than the system's for the many small pieces of a request (docs/performance.md); the services, which have other
/// loads, would only need more memory. Without huge pages: three of them are more than a gateway at rest needs in all.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
