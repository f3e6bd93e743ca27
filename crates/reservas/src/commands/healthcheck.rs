//! `reservas healthcheck`: whether a service answers, as an exit code.

use std::time::Duration;

use platform::http::client::client;

use crate::settings::Settings;

/// What to ask.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The address to ask; the gateway of this machine when absent.
    url: Option<String>,
}

/// Asks.
///
/// # Errors
/// When there is no answer, or one that is no success.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<(), String> {
    let url = arguments.url.unwrap_or_else(|| format!("http://127.0.0.1:{}/__health", settings.port_base));
    let client = client(Duration::from_secs(3)).map_err(|error| error.to_string())?;
    let answer = client.get(&url).send().await.map_err(|error| format!("{url} does not answer: {error}"))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("{url} answered {}", answer.status())) }
}
