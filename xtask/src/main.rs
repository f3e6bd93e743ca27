//! Checks and chores of this workspace that need code: `cargo xtask` lists them.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod deps;
mod layers;
mod prepare;
mod servers;
mod sizes;
mod with_servers;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

/// What a command comes to: an exit code, or one line that says what is wrong.
type Outcome<T = ExitCode> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
cargo xtask layers               who may import whom, as ARCHITECTURE.md has it
cargo xtask sizes                lengths, names and first lines of all Rust files
cargo xtask deps                 licences and banned crates, as deny.toml has them
cargo xtask with-servers CMD…    runs CMD with a PostgreSQL, a Redis and an SMTP server of its own
cargo xtask prepare              writes .sqlx anew, from the migrations and the queries as they are";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["layers"] => layers::run(),
        ["sizes"] => sizes::run(),
        ["deps"] => deps::run(),
        ["with-servers", program, arguments @ ..] => with_servers::run(program, arguments).await,
        ["prepare"] => prepare::run().await,
        _ => {
            println!("{HELP}");
            let asked = matches!(words.as_slice(), [] | ["help" | "--help" | "-h"]);
            Ok(if asked { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}

/// Prints what is wrong, or that nothing is.
fn verdict(check: &str, wrong: &[String], right: &str) -> ExitCode {
    for line in wrong {
        eprintln!("{check}: {line}");
    }
    if wrong.is_empty() {
        println!("{check}: {right}");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
