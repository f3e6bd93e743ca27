//! A real `reservas bookings`, `users` or `notifications`, built for release, as a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};

use crate::Outcome;
use crate::client::Client;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Seals what lies in the database of a measurement.
const SEALING_KEY: &str = "YSBrZXkgb2YgdGhlIGJlbmNobWFyaywgMzIgYnl0ZXM=";

/// A running replica. Dropped, it is killed.
pub struct Replica {
    service: &'static str,
    port: u16,
    log: PathBuf,
    environment: Vec<(String, String)>,
    child: Child,
}

/// The binary beside this one.
fn binary() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("reservas");
    if binary.exists() {
        Ok(binary)
    } else {
        Err(format!("{} is missing: run `make bench`", binary.display()).into())
    }
}

fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn launch(service: &str, environment: &[(String, String)], log: &Path) -> Outcome<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(binary()?);
    command.arg(service).env_clear().envs(environment.iter().cloned());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command.spawn()?)
}

impl Replica {
    /// Starts one and waits until it is ready. It finds keys at `issuer`, and nobody else.
    pub async fn start(folder: &Path, database: &str, issuer: &str) -> Outcome<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let log = folder.join(format!("bookings-{port}.log"));
        let environment: Vec<(String, String)> = [
            ("DATABASE_URL", database),
            ("RESERVAS_DATA_DIR", &folder.display().to_string()),
            ("RESERVAS_INTERNAL_TOKEN", "the-internal-token-of-the-benchmark"),
            ("RESERVAS_BOOKINGS_SERVER_LISTEN", &listen),
            ("RESERVAS_USERS_SERVER_URL", issuer),
            ("RESERVAS_RESOURCES_SERVER_URL", issuer),
            ("RUST_LOG", "error"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Self::launched("bookings", port, log, environment).await
    }

    /// Starts a user service, which is its own issuer, and whose first administrator has a password.
    pub async fn start_users(folder: &Path, database: &str, password: &str) -> Outcome<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let environment: Vec<(String, String)> = [
            ("DATABASE_URL", database),
            ("RESERVAS_DATA_DIR", &folder.display().to_string()),
            ("RESERVAS_INTERNAL_TOKEN", "the-internal-token-of-the-benchmark"),
            ("RESERVAS_SEALING_KEYS", SEALING_KEY),
            ("RESERVAS_USERS_SERVER_LISTEN", &listen),
            ("RESERVAS_ADMIN_PASSWORD", password),
            ("RUST_LOG", "error"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Self::launched("users", port, folder.join(format!("users-{port}.log")), environment).await
    }

    /// Starts a notification service with some settings of its own.
    pub async fn start_notifications(
        folder: &Path,
        database: &str,
        settings: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Outcome<Self> {
        let port = free_port()?;
        let mut environment: Vec<(String, String)> = [
            ("DATABASE_URL", database),
            ("RESERVAS_DATA_DIR", &folder.display().to_string()),
            ("RESERVAS_INTERNAL_TOKEN", "the-internal-token-of-the-benchmark"),
            ("RESERVAS_SEALING_KEYS", SEALING_KEY),
            ("RESERVAS_NOTIFICATIONS_SERVER_LISTEN", &format!("127.0.0.1:{port}")),
            ("RUST_LOG", "error"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        environment.extend(settings.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Self::launched("notifications", port, folder.join(format!("notifications-{port}.log")), environment)
            .await
    }

    async fn launched(
        service: &'static str,
        port: u16,
        log: PathBuf,
        environment: Vec<(String, String)>,
    ) -> Outcome<Self> {
        let child = launch(service, &environment, &log)?;
        let mut replica = Self { service, port, log, environment, child };
        replica.ready().await?;
        Ok(replica)
    }

    /// Its port on loopback.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) -> Outcome {
        self.child = launch(self.service, &self.environment, &self.log)?;
        self.ready().await
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> Outcome {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        }
        self.child.wait().await?;
        Ok(())
    }

    /// The last of what it logged: only errors are.
    pub fn last_words(&self) -> Outcome<Option<String>> {
        Ok(fs::read_to_string(&self.log)?.lines().rev().find(|line| line.starts_with('{')).map(str::to_owned))
    }

    /// Resident memory in MB: now, and the most it ever was.
    pub fn memory(&self) -> Outcome<(f64, f64)> {
        let pid = self.child.id().ok_or("the replica has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let of = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<f64>().ok()
        };
        let mb = |name| of(name).map(|kb| kb / 1024.0).ok_or("no memory in /proc");
        Ok((mb("VmRSS:")?, mb("VmHWM:")?))
    }

    /// Processor time it has used, in seconds.
    pub fn cpu(&self) -> Outcome<f64> {
        let pid = self.child.id().ok_or("the replica has ended")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // After the name in brackets; user and system time are the 12th and 13th, in hundredths of a second.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0)
    }

    async fn ready(&mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if self.is_ready().await {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(&self.log)?;
                return Err(
                    format!("a replica does not start: {}", said.lines().last().unwrap_or_default()).into()
                );
            }
        }
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut client) = Client::connect(self.port).await else { return false };
        client.get("/health/ready", None).await.is_ok_and(|reply| reply.status == 200)
    }
}
