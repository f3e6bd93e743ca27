//! Runs a command with servers of its own, and leaves none of them behind, however it ends.

use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::timeout;

use crate::Outcome;
use crate::servers::Servers;

/// How long the command may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(15);

/// Comes to the command's own exit code, or 128 and the number of the signal that ended it, as a shell's.
pub async fn run(program: &str, arguments: &[&str]) -> Outcome<ExitCode> {
    let mut signals = Signals::new()?;
    eprintln!("starting PostgreSQL, Redis and an SMTP server for: {program} {}", arguments.join(" "));
    let servers = tokio::select! {
        servers = Servers::start() => servers?,
        // What was started is stopped as it is dropped.
        signal = signals.next() => return Ok(ended_by(signal)),
    };
    let outcome = supervise(program, arguments, &servers, &mut signals).await;
    servers.stop().await?;
    outcome
}

async fn supervise(
    program: &str,
    arguments: &[&str],
    servers: &Servers,
    signals: &mut Signals,
) -> Outcome<ExitCode> {
    let mut command = Command::new(program);
    command.args(arguments).envs(servers.variables().iter().map(|(name, value)| (name, value)));
    // At a terminal the command stays with us: it may read from it, and Ctrl-C reaches it and all it started.
    let apart = !std::io::stdin().is_terminal();
    if apart {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    tokio::select! {
        status = child.wait() => Ok(code(status?)),
        signal = signals.next() => {
            send(&child, signal, apart);
            if timeout(PATIENCE, child.wait()).await.is_err() {
                send(&child, Signal::SIGKILL, apart);
                child.wait().await?;
            }
            Ok(ended_by(signal))
        }
    }
}

fn send(child: &Child, signal: Signal, apart: bool) {
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw) else {
        return;
    };
    // One that just ended is no failure.
    let _ = if apart { killpg(pid, signal) } else { kill(pid, signal) };
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn ended_by(signal: Signal) -> ExitCode {
    u8::try_from(128 + signal as i32).map_or(ExitCode::FAILURE, ExitCode::from)
}

struct Signals {
    interrupt: Stream,
    terminate: Stream,
}

impl Signals {
    fn new() -> Outcome<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
        }
    }
}
