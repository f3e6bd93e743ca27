//! A private PostgreSQL: found, initialised, started, watched and stopped by this process, reached over a Unix socket.

mod account;
mod binaries;
mod error;
mod init;
mod leftover;
mod place;
mod server;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::str::FromStr as _;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::process::Child;
use tokio::time::timeout;

use account::Account;
pub use error::Error;
use place::Place;

/// The superuser of the cluster, who owns everything in it.
pub const OWNER: &str = "reservas_owner";

/// Where the data lies and how much it is worth.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made when it is missing. The log, the socket and an unfinished `initdb` lie beside it, under
    /// its name with `.log`, `.socket` and `.new`. One process at a time may use it: see `data_dir`.
    pub folder: PathBuf,
    /// What a crash of the machine may cost.
    pub durability: Durability,
}

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Safe,
    /// Everything: nothing is forced to disk. For tests, which are several times faster on it.
    Throwaway,
}

/// A running server. Dropped without [`Cluster::stop`], it is told to stop, and nobody waits for it.
#[derive(Debug)]
pub struct Cluster {
    child: Child,
    place: Place,
}

impl Cluster {
    /// Starts the server, after `initdb` on the first start, and waits until it takes connections. A server that a
    /// killed earlier run left behind is stopped first.
    ///
    /// # Errors
    /// When there are no binaries, the folder is not to be used, or the server does not come up.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        let place = Place::new(&settings.folder)?;
        let account = Account::for_folder(&place.data)?;
        for parent in [place.data.parent(), place.socket.parent()].into_iter().flatten() {
            account.can_reach(parent)?;
        }
        let version = init::version(&place.data)?;
        let installation = binaries::find(&place.data, version)?;
        if version.is_none() {
            tracing::info!(folder = %place.data.display(), version = installation.major, "making a PostgreSQL data folder");
            init::create(&place, &installation, &account, settings.durability).await?;
        }
        leftover::clear(&place.data).await?;
        account.adopt(&place.data)?;
        place.prepare_socket(&account)?;
        let child = server::spawn(&place, &installation, &account, settings.durability)?;
        // From here on a dropped future takes the server with it.
        let mut cluster = Self { child, place };
        let url = cluster.url(OWNER, "postgres");
        if let Err(error) = server::ready(&mut cluster.child, &cluster.place, &url).await {
            cluster.stop().await?;
            return Err(error);
        }
        Ok(cluster)
    }

    /// The URL of a database for a login. Port and host are only there because a URL needs them.
    #[must_use]
    pub fn url(&self, user: &str, database: &str) -> String {
        url(&self.place, user, database)
    }

    /// The URL of a database of the server that another process runs on this data folder; none when none runs there.
    ///
    /// # Errors
    /// When the folder is not to be used.
    pub fn url_of_running(folder: &Path, user: &str, database: &str) -> Result<Option<String>, Error> {
        let place = Place::new(folder)?;
        let socket = place.socket.join(format!(".s.PGSQL.{}", place::PORT));
        Ok(socket.exists().then(|| url(&place, user, database)))
    }

    /// Creates a database when it is missing.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let mut connection = PgConnectOptions::from_str(&self.url(OWNER, "postgres"))?.connect().await?;
        let result = create_database(&mut connection, name).await;
        connection.close().await?;
        Ok(result?)
    }

    /// Resolves when the server ended on its own.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Disconnects all clients, writes out the data and ends the server; one that takes too long is ended at once and
    /// recovers at its next start.
    ///
    /// # Errors
    /// When it cannot be ended at all.
    pub async fn stop(mut self) -> Result<(), Error> {
        let steps: [(Signal, Duration); 3] = [
            (Signal::SIGINT, leftover::FAST),
            (Signal::SIGQUIT, leftover::IMMEDIATE),
            (Signal::SIGKILL, leftover::IMMEDIATE),
        ];
        for (signal, patience) in steps {
            self.signal(signal);
            if let Ok(status) = timeout(patience, self.child.wait()).await {
                let status = status.map_err(Error::io("watch", &self.place.data))?;
                tracing::debug!(%status, "PostgreSQL stopped");
                // Empty now; only in the way when it lies in the folder for temporary files.
                let _ = std::fs::remove_dir(&self.place.socket);
                return Ok(());
            }
            tracing::warn!(%signal, "PostgreSQL takes long to stop");
        }
        let pids = self.child.id().map_or_else(String::new, |pid| pid.to_string());
        Err(Error::LeftOver { folder: self.place.data.clone(), pids })
    }

    /// The number is ours to use for as long as the child was not waited for.
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // One that just ended is no failure.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

fn url(place: &Place, user: &str, database: &str) -> String {
    let socket = encode(&place.socket.to_string_lossy());
    let (user, database, port) = (encode(user), encode(database), place::PORT);
    format!("postgres://{user}@localhost:{port}/{database}?host={socket}&sslmode=disable")
}

async fn create_database(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    let query = sqlx::query_scalar("select exists (select from pg_database where datname = $1)");
    if query.bind(name).fetch_one(&mut *connection).await? {
        return Ok(());
    }
    let quoted = name.replace('"', "\"\"");
    connection.execute(AssertSqlSafe(format!("create database \"{quoted}\""))).await.map(drop)
}

/// Percent-encodes all but what is plain in every part of a URL.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
