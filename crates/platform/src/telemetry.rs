//! Logs: JSON when standard error is not a terminal, for people when it is.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error, at the levels of `filter` (the syntax of `RUST_LOG`).
///
/// # Errors
/// When the filter cannot be parsed or logging was started before.
pub fn init(filter: &str) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG cannot be understood: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let result = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    result.map_err(|error| error.to_string())
}
