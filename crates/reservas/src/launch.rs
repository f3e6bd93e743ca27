//! What every binary begins and ends with: the allocator, the runtime, and the one line that says what went wrong.

use std::process::ExitCode;

use mimalloc::MiMalloc;

use crate::console;

/// Cheaper than the system's for the many small pieces of a request (docs/performance.md). Without huge pages: three of
/// them are more than a gateway at rest needs in all.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
