//! The `reservas` binary: parse the command and run it.

use std::process::ExitCode;

use clap::Parser as _;
use reservas::commands::{self, Arguments};
use reservas::launch::launch;

fn main() -> ExitCode {
    launch(commands::run(Arguments::parse()))
}
