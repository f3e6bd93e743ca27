//! `reservas admin`: what an administrator does to a whole installation while it runs.

use std::path::Path;

use clap::Subcommand;
use platform::db::Db;
use platform::postgres::{Cluster, OWNER};
use platform::sealing::Keyring;
use platform::sealing::at_rest::Resealed;
use platform::service::Context;
use tokio_util::sync::CancellationToken;
use users::store::read_only::{self, ReadOnly};
use users::store::signing_keys;

use crate::console::say;
use crate::settings::Settings;
use crate::wiring::Service;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let nothing be changed through the gateways, for maintenance; reading and signing in go on.
    ReadOnly {
        /// Which way.
        #[command(subcommand)]
        command: ReadOnlyCommand,
    },
    /// The keys with which access tokens are signed, and those with which secrets in the database are sealed.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        command: Keys,
    },
}

/// What to do with the keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Keys {
    /// Make a new key. It is shown to all services before it signs, and the old one until its last token has expired.
    Rotate {
        /// The old key is not to be trusted: the new one signs from now on, and everybody has to refresh.
        #[arg(long)]
        at_once: bool,
    },
    /// Print a new sealing key, to be put before the others in RESERVAS_SEALING_KEYS or its file.
    Generate,
    /// Print a new key pair for pushes to browsers (VAPID), to be put into RESERVAS_NOTIFICATIONS_PUSH_WEB_PUSH_KEY.
    GenerateWebPush,
    /// Seal all secrets in the database with the first sealing key, so that the others can be taken away.
    Reseal,
}

/// What to do with read-only mode. Every gateway follows within seconds.
#[derive(Debug, Subcommand)]
pub enum ReadOnlyCommand {
    /// Refuse writes from now on, or change what clients are told.
    On {
        /// Seconds after which clients are told to try again.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(i32).range(1..=86400))]
        retry_after: i32,
        /// Why, for people; at most 200 characters.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take writes again.
    Off,
    /// Say what holds.
    Status,
}

/// Runs the command.
///
/// # Errors
/// One line that says what went wrong.
pub async fn run(settings: Settings, command: Command) -> Result<(), String> {
    match command {
        Command::ReadOnly { command } => {
            on(&settings, async |context| obey(&context.db, command, context.clock.now()).await).await
        }
        Command::Keys { command: Keys::Rotate { at_once } } => {
            on(&settings, async |context| rotate(context, at_once).await).await
        }
        Command::Keys { command: Keys::Reseal } => reseal(&settings).await,
        // Needs no installation: it is what one begins with.
        Command::Keys { command: Keys::Generate } => {
            say(Keyring::generate().expose());
            Ok(())
        }
        Command::Keys { command: Keys::GenerateWebPush } => {
            say(notifications::push::vapid::generate()?.expose());
            Ok(())
        }
    }
}

/// Works on the installation.
async fn on(
    settings: &Settings,
    work: impl AsyncFnOnce(&Context) -> Result<(), String>,
) -> Result<(), String> {
    at(settings, Service::Users, work).await
}

/// Works on the installation, as a service.
async fn at<T>(
    settings: &Settings,
    service: Service,
    work: impl AsyncFnOnce(&Context) -> Result<T, String>,
) -> Result<T, String> {
    let url = database_url(settings)?;
    let context = service.context(settings, &url, CancellationToken::new())?;
    let result = work(&context).await;
    context.db.close().await;
    result
}

async fn rotate(context: &Context, at_once: bool) -> Result<(), String> {
    // A key that was sealed here with a key that the services do not have would keep everybody out.
    users::store::sealed::SEALED.prepare(context).await.map_err(|unready| unready.to_string())?;
    let rotated = signing_keys::rotate(context, context.clock.now(), at_once).await;
    let from = rotated.map_err(|problem| problem.detail)?;
    say(format_args!("a new key signs from {from} on"));
    Ok(())
}

async fn reseal(settings: &Settings) -> Result<(), String> {
    let mut done = Resealed::default();
    let services = [
        (Service::Users, &users::store::sealed::SEALED),
        (Service::Notifications, &notifications::store::sealed::SEALED),
    ];
    for (service, sealed) in services {
        let reseal =
            async |context: &Context| sealed.reseal(context).await.map_err(|unready| unready.to_string());
        let some = at(settings, service, reseal).await?;
        done.values += some.values;
        done.retired.extend(some.retired);
    }
    say(format_args!("sealed anew: {}", done.values));
    for id in done.retired {
        say(format_args!("nothing is sealed with the key {id} any more"));
    }
    Ok(())
}

async fn obey(db: &Db, command: ReadOnlyCommand, now: jiff::Timestamp) -> Result<(), String> {
    let failed =
        |error: sqlx::Error| format!("the database cannot be asked: {error} (does Reservas run on it?)");
    match command {
        ReadOnlyCommand::On { retry_after, reason } => {
            if reason.as_deref().is_some_and(|reason| !(1..=200).contains(&reason.chars().count())) {
                return Err("the reason has 1 to 200 characters".into());
            }
            let order = ReadOnly { retry_after_seconds: retry_after, reason, since: now };
            read_only::save(db, &order).await.map_err(failed)?;
        }
        ReadOnlyCommand::Off => read_only::end(db).await.map_err(failed)?,
        ReadOnlyCommand::Status => {}
    }
    match read_only::load(db).await.map_err(failed)? {
        Some(order) => {
            let reason = order.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let (since, seconds) = (order.since, order.retry_after_seconds);
            say(format_args!("read-only since {since}, retry after {seconds} s{reason}"));
        }
        None => say("writes are taken"),
    }
    // Not ours to change: who made the database read-only has to undo that there.
    if db.is_read_only().await.map_err(failed)? {
        say("the database itself is read-only");
    }
    Ok(())
}

/// The database of the installation: the one that is named, or the private one of a `reservas all` that runs on the data
/// folder.
fn database_url(settings: &Settings) -> Result<String, String> {
    if let Some(url) = settings.database_url.get().or(settings.users.server.database_url.get()) {
        return Ok(url.to_owned());
    }
    let folder = Path::new(&settings.data_dir).join("postgres");
    let missing = || format!("DATABASE_URL is not set, and no `reservas all` runs on {}", folder.display());
    if !folder.exists() {
        return Err(missing());
    }
    let running = Cluster::url_of_running(&folder, OWNER, "reservas").map_err(|error| error.to_string())?;
    running.ok_or_else(missing)
}
