//! What every binary begins and ends with: the runtime, and the one line that says what went wrong.

use std::process::ExitCode;

use crate::console;

/// Runs a command to its end.
pub fn launch(command: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"));
    match runtime.and_then(|runtime| runtime.block_on(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::fail(error);
            ExitCode::FAILURE
        }
    }
}
