//! Load on the services and on the gateway, with baselines in the same run: `make bench` prints all of it as tables.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod availability;
mod baseline;
mod client;
mod creating;
mod gateway;
mod growth;
mod load;
mod memory;
mod names;
mod notifications;
mod races;
mod replica;
mod seed;
mod stage;
mod statements;
mod table;
mod throughput;
mod users;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// What a measurement comes to, or one line that says what is wrong.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the services on a private, durable PostgreSQL, and the gateway.
#[derive(Debug, Parser)]
#[command(name = "bench", about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Show which statements took PostgreSQL's time (pg_stat_statements; costs a little of it).
    #[arg(long, global = true)]
    statements: bool,
    /// Hold this lock file (as `flock` does) while measuring, not while loading: what else takes it does not disturb.
    #[arg(long, global = true, value_name = "FILE")]
    alone: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Every pair of operations at one slot over two replicas; fails when two win, or an answer was not true.
    Races(races::Flags),
    /// Bookings a second over HTTP, against pgbench with the same inserts and locks.
    Throughput(throughput::Flags),
    /// The same, with ever more bookings there already.
    Growth(growth::Flags),
    /// Search by need, against the same HTTP stack doing nothing.
    Availability(availability::Flags),
    /// Sign-ins and registrations a second against what bcrypt allows, tokens verified a second, and wrong tokens.
    Users(users::Flags),
    /// A long queue of mails over two replicas, from a booking to its mail, and a mail server that is away.
    Notifications(notifications::Flags),
    /// What the service holds in memory after load of all kinds.
    Memory(memory::Flags),
    /// The gateway's processor time a request and its latency, against nginx.
    Gateway(gateway::Flags),
    /// The gateway's memory: at rest, under load, with 10,000 idle connections.
    GatewayConnections(gateway::Flags),
}

impl Command {
    /// All of them, small enough for a few minutes.
    fn all() -> Vec<Self> {
        let races = races::Flags::all().map(Self::Races);
        let others = [
            Self::Throughput(throughput::Flags::default()),
            Self::Growth(growth::Flags::default()),
            Self::Availability(availability::Flags::default()),
            Self::Users(users::Flags::default()),
            Self::Notifications(notifications::Flags::default()),
            Self::Memory(memory::Flags::default()),
            Self::Gateway(gateway::Flags::default()),
            Self::GatewayConnections(gateway::Flags::default()),
        ];
        races.into_iter().chain(others).collect()
    }

    async fn run(&self, tuning: &stage::Tuning) -> Outcome<table::Report> {
        match self {
            Self::Races(flags) => races::run(flags, tuning).await,
            Self::Throughput(flags) => throughput::run(flags, tuning).await,
            Self::Growth(flags) => growth::run(flags, tuning).await,
            Self::Availability(flags) => availability::run(flags, tuning).await,
            Self::Users(flags) => users::run(flags, tuning).await,
            Self::Notifications(flags) => notifications::run(flags, tuning).await,
            Self::Memory(flags) => memory::run(flags, tuning).await,
            Self::Gateway(flags) => gateway::run(flags, tuning).await,
            Self::GatewayConnections(flags) => gateway::connections(flags, tuning).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // What is being measured is dropped with its servers, rather than left running.
    tokio::select! {
        code = measure(Arguments::parse()) => code,
        outcome = stopped() => {
            eprintln!("bench: {}", outcome.err().map_or("stopped".to_owned(), |error| error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Returns when the process is asked to end.
async fn stopped() -> Outcome {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn measure(arguments: Arguments) -> ExitCode {
    let commands = arguments.command.map_or_else(Command::all, |command| vec![command]);
    let tuning = stage::Tuning { statements: arguments.statements, alone: arguments.alone };
    let mut wrong = false;
    for command in commands {
        match command.run(&tuning).await {
            Ok(report) => {
                println!("{report}");
                wrong |= !report.faults.is_empty();
            }
            Err(error) => {
                eprintln!("bench: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
