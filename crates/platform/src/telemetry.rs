//! Logs: JSON when standard error is not a terminal, for people when it is. With traces, spans of statements as well.

mod statements;

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use statements::Statements;

/// Starts logging to standard error, at the levels of `filter` (the syntax of `RUST_LOG`); with `traces`, database
/// statements become spans of the requests that are traced.
///
/// # Errors
/// When the filter cannot be parsed or logging was started before.
pub fn init(filter: &str, traces: bool) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG cannot be understood: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    let result = if traces {
        let heard = Targets::new().with_target(statements::TARGET, LevelFilter::DEBUG);
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(Statements.with_filter(heard))
            .try_init()
    } else {
        // The filter over everything, so that sqlx does not even prepare what nobody hears.
        tracing_subscriber::registry().with(lines).with(filter).try_init()
    };
    result.map_err(|error| error.to_string())
}
