//! The `reservas` binary: parse the command, run it, say in one line what went wrong.

use std::process::ExitCode;

use clap::Parser as _;
use reservas::commands::{self, Arguments};
use reservas::console;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            console::fail(format_args!("no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::fail(error);
            ExitCode::FAILURE
        }
    }
}
