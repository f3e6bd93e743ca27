//! The server process: its settings, its start, and the wait until it answers.

use std::path::Path;
use std::process::Stdio;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::process::Child;
use tokio::time::{Instant, interval, timeout_at};

use super::Durability;
use super::account::Account;
use super::binaries::Installation;
use super::error::Error;
use super::place::{PORT, Place};

/// How long a start may take: replaying what a crash left can take a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// What must hold whatever `postgresql.conf` says; memory and the like can be tuned there.
fn settings(place: &Place, durability: Durability) -> Vec<String> {
    // A list by its syntax: quoted, because a path may hold a comma.
    let socket = place.socket.to_string_lossy().replace('"', "\"\"");
    let mut settings = vec![
        format!("unix_socket_directories=\"{socket}\""),
        "unix_socket_permissions=0700".to_owned(),
        format!("port={PORT}"),
    ];
    let fixed: &[&str] = &[
        "listen_addresses=",
        "ssl=off",
        "timezone=UTC",
        "log_timezone=UTC",
        "logging_collector=off",
        "log_destination=stderr",
        // What a statement did wrong is its sender's to report: here it would fill the disk, and show personal data.
        "log_min_messages=log",
        "log_checkpoints=off",
    ];
    let durable: &[&str] = match durability {
        Durability::Safe => {
            &["fsync=on", "full_page_writes=on", "synchronous_commit=on", "max_connections=200"]
        }
        Durability::Throwaway => &[
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
            "max_connections=400",
            "wal_level=minimal",
            "max_wal_senders=0",
        ],
    };
    settings.extend(fixed.iter().chain(durable).map(|&setting| setting.to_owned()));
    settings
}

/// Starts the server; whether it comes up shows in [`ready`].
pub(super) fn spawn(
    place: &Place,
    installation: &Installation,
    account: &Account,
    durability: Durability,
) -> Result<Child, Error> {
    let program = installation.bin.join("postgres");
    let log = place.fresh_log()?;
    let second = log.try_clone().map_err(Error::io("open", &place.log))?;
    let mut command = account.command(&program, Path::new("/"));
    command.arg("-D").arg(&place.data);
    for setting in settings(place, durability) {
        command.args(["-c", &setting]);
    }
    command.stdout(Stdio::from(log)).stderr(Stdio::from(second));
    command.spawn().map_err(Error::io("start", &program))
}

/// Waits until the server takes connections.
///
/// # Errors
/// When it ends, refuses our login, or time is up.
pub(super) async fn ready(child: &mut Child, place: &Place, url: &str) -> Result<(), Error> {
    let not_ready = |why: String| Error::NotReady {
        folder: place.data.clone(),
        why,
        said: place.last_words(),
        log: place.log.clone(),
    };
    let options = PgConnectOptions::from_str(url)?;
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(10));
    loop {
        if let Some(status) = child.try_wait().map_err(Error::io("watch", &place.data))? {
            return Err(not_ready(format!("it ended, {status}")));
        }
        match timeout_at(deadline, options.connect()).await {
            Ok(Ok(connection)) => {
                // The server answers; how the farewell goes does not matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) if is_final(&error) => return Err(not_ready(error.to_string())),
            Ok(Err(_)) if Instant::now() < deadline => {}
            _ => return Err(not_ready(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
        ticks.tick().await;
    }
}

/// A refusal other than "the database system is starting up".
fn is_final(error: &sqlx::Error) -> bool {
    const STARTING: &str = "57P03";
    error.as_database_error().is_some_and(|refusal| refusal.code().as_deref() != Some(STARTING))
}
