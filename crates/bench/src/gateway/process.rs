//! A gateway, or what it is compared with, as a process of its own on a core of its own.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};

use crate::Outcome;

/// The core of what is measured.
const MEASURED: &str = "0";
/// The core of load and backend.
const OTHERS: &str = "1";
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running process. Dropped, it is asked to end.
pub struct Pinned {
    /// Where it listens, on loopback.
    pub port: u16,
    pid: u32,
    child: Child,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // nginx takes its worker along only when it is asked to end; one that ended already cannot be asked.
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.pid)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

/// A port that nobody has.
pub fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Keeps this process, which is load and backend, off the core of what is measured.
pub async fn stay_aside() -> Outcome {
    let pid = std::process::id().to_string();
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", OTHERS, &pid])
        .stdout(Stdio::null())
        .status()
        .await
        .map_err(|error| format!("taskset (util-linux) cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err("a second core is needed for load and backend".into()) }
}

/// The gateway's binary, beside this one.
pub fn gateway() -> Outcome<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("reservas-gateway");
    if binary.exists() {
        Ok(binary)
    } else {
        Err(format!("{} is missing: run `make bench`", binary.display()).into())
    }
}

/// How a gateway's binary is told to `run` or `check` a file: the one with all services wants to hear who is meant.
pub fn arguments<'a>(binary: &Path, verb: &'a str, file: &'a str) -> Vec<&'a str> {
    let whole = binary.file_name().is_some_and(|name| name == "reservas");
    let first = whole.then_some("gateway");
    first.into_iter().chain([verb, "-c", file]).collect()
}

impl Pinned {
    /// Starts a program that will listen on `port`, and waits until it does; it logs what `level` says.
    pub async fn start(
        program: &Path,
        arguments: &[&str],
        port: u16,
        (log, level): (&Path, &str),
    ) -> Outcome<Self> {
        let (out, name) = (File::create(log)?, program.display());
        let mut command = Command::new("taskset");
        command.args(["-c", MEASURED]).arg(program).args(arguments).env_clear();
        command.env("RUST_LOG", level).env("RESERVAS_GATEWAY_LISTEN", format!("127.0.0.1:{port}"));
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().map_err(|error| format!("{name} cannot be run: {error}"))?;
        let pid = child.id().ok_or("the process ended at once")?;
        let mut pinned = Self { port, pid, child };
        let (deadline, mut ticks) = (Instant::now() + PATIENCE, interval(Duration::from_millis(20)));
        loop {
            ticks.tick().await;
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Ok(pinned);
            }
            if pinned.child.try_wait()?.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(log)?;
                return Err(format!("{name} does not start: {}", said.trim_end()).into());
            }
        }
    }

    /// It and its workers.
    fn family(&self) -> Outcome<Vec<u32>> {
        let mut all = vec![self.pid];
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid))?;
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        Ok(all)
    }

    /// Processor time that it has used, to the nanosecond.
    pub fn cpu(&self) -> Outcome<Duration> {
        let mut nanoseconds = 0;
        for pid in self.family()? {
            for task in fs::read_dir(format!("/proc/{pid}/task"))? {
                let schedule = fs::read_to_string(task?.path().join("schedstat"))?;
                let ran = schedule.split_whitespace().next().unwrap_or_default();
                nanoseconds += ran.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in MB: all of it, and what is its own rather than pages of files that the system may drop.
    pub fn memory(&self) -> Outcome<(f64, f64)> {
        let (mut all, mut own) = (0.0, 0.0);
        for pid in self.family()? {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let of = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
                line.trim().trim_end_matches(" kB").parse::<f64>().map(|kilobytes| kilobytes / 1024.0)
            };
            all += of("VmRSS:")?;
            own += of("RssAnon:")?;
        }
        Ok((all, own))
    }
}
