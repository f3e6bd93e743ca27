//! Servers of an earlier run that was killed: found by the folder they work in, and stopped before a new start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, interval};

use super::error::Error;
use super::place::remove;

/// How long a server may take to write out its data (a fast shutdown) before it is made to stop without (immediate).
pub(super) const FAST: Duration = Duration::from_secs(60);
/// How long processes may take to end that have nothing left to do.
pub(super) const IMMEDIATE: Duration = Duration::from_secs(10);

/// Ends what an earlier run left working in a data folder, as gently as it lets us, and removes its claim to the folder.
pub(super) async fn clear(data: &Path) -> Result<(), Error> {
    let found = living(data);
    if let Some(postmaster) = postmaster(data).filter(|pid| found.contains(pid)) {
        tracing::info!(pid = postmaster.as_raw(), "stopping the PostgreSQL of an earlier run");
        send(&[postmaster], Signal::SIGINT);
        gone(data, FAST).await;
    }
    // Sessions can outlive a killed postmaster for as long as their statement runs; their work is lost in any case.
    end(data, &[Signal::SIGQUIT, Signal::SIGKILL]).await?;
    // Of a dead server. PostgreSQL would refuse the start if its process number were meanwhile another program's.
    remove(&data.join("postmaster.pid"))
}

/// Ends an `initdb` that goes on after its parent was killed: what it makes is thrown away.
pub(super) async fn clear_unfinished(folder: &Path) -> Result<(), Error> {
    end(folder, &[Signal::SIGKILL]).await?;
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", folder)(error)),
        _ => Ok(()),
    }
}

async fn end(folder: &Path, signals: &[Signal]) -> Result<(), Error> {
    for signal in signals {
        let found = living(folder);
        if found.is_empty() {
            return Ok(());
        }
        send(&found, *signal);
        gone(folder, IMMEDIATE).await;
    }
    let left = living(folder);
    if left.is_empty() {
        return Ok(());
    }
    let pids = left.iter().map(Pid::to_string).collect::<Vec<_>>().join(" ");
    Err(Error::LeftOver { folder: folder.to_owned(), pids })
}

fn send(pids: &[Pid], signal: Signal) {
    for pid in pids {
        // One that ended meanwhile is what we want; one that is not ours shows in `LeftOver`.
        let _ = kill(*pid, signal);
    }
}

async fn gone(folder: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    let mut ticks = interval(Duration::from_millis(20));
    while Instant::now() < deadline && !living(folder).is_empty() {
        ticks.tick().await;
    }
}

/// The first line of `postmaster.pid`.
fn postmaster(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    Some(Pid::from_raw(pid))
}

/// The processes of PostgreSQL that work in a folder: all of them have it as their working directory.
fn living(folder: &Path) -> Vec<Pid> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    let Ok(processes) = Path::new("/proc").read_dir() else {
        return living_without_proc(&folder);
    };
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| is_server(*pid, &folder)).map(Pid::from_raw).collect()
}

fn is_server(pid: i32, folder: &Path) -> bool {
    let about = PathBuf::from(format!("/proc/{pid}"));
    // The name as well: a shell that somebody opened in the folder is none of our business.
    about.join("cwd").read_link().is_ok_and(|cwd| cwd == folder)
        && fs::read_to_string(about.join("comm"))
            .is_ok_and(|name| ["postgres", "initdb"].contains(&name.trim()))
}

/// On systems without `/proc`, only the postmaster can be told, by its command line.
fn living_without_proc(folder: &Path) -> Vec<Pid> {
    let Some(pid) = postmaster(folder) else {
        return Vec::new();
    };
    let said = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    let line = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let ours = line.contains("postgres") && line.contains(&*folder.to_string_lossy());
    if ours { vec![pid] } else { Vec::new() }
}
