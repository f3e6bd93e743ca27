//! `reservas org`: organizations of an installation, on the database of `DATABASE_URL` or the private one of `reservas all`,
//! which may be running or not.

use std::path::PathBuf;

use clap::Subcommand;
use platform::config::Secret;
use platform::data_dir::{DataDir, Error as DataDirError};
use platform::http::Problem;
use platform::postgres::{Cluster, OWNER};
use platform::service::Context;
use tokio_util::sync::CancellationToken;

use crate::all::{POSTGRES, start_cluster};
use crate::console::say;
use crate::settings::Settings;
use crate::wiring::{Service, migrate_schemas};

/// Organizations read at once for the list.
const PAGE: i64 = 200;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an organization with its first administrator, whose password is shown once.
    Create {
        /// Its short name: lower-case letters, digits and dashes.
        slug: String,
        /// Its name.
        #[arg(long)]
        name: String,
        /// The administrator's address.
        #[arg(long)]
        admin_email: String,
    },
    /// Say which host names lead to an organization, in place of those so far.
    Hosts {
        /// Its short name.
        slug: String,
        /// The host names, in lower case and without ports; none: no host name leads to it.
        hosts: Vec<String>,
    },
    /// List the organizations: slug, state, id, name, host names.
    List,
    /// Keep the people of an organization from signing in.
    Disable {
        /// Its short name.
        slug: String,
    },
    /// Let them sign in again.
    Enable {
        /// Its short name.
        slug: String,
    },
}

/// Runs the command.
///
/// # Errors
/// One line that says what went wrong.
pub async fn run(settings: Settings, command: Command) -> Result<(), String> {
    if let Some(url) = settings.database_url.get() {
        let url = url.to_owned();
        return on(settings, &url, command).await;
    }
    let folder = PathBuf::from(&settings.data_dir);
    if !folder.join(POSTGRES).exists() {
        return Err(format!(
            "there is no installation in {}: set DATABASE_URL, or RESERVAS_DATA_DIR to the folder of `reservas all`",
            folder.display()
        ));
    }
    match DataDir::open(&folder) {
        Ok(_lock) => {
            let cluster = start_cluster(&folder).await?;
            let done = on(settings, &cluster.url(OWNER, "reservas"), command).await;
            cluster.stop().await.map_err(|error| error.to_string())?;
            done
        }
        // `reservas all` runs there: its PostgreSQL is ours to ask.
        Err(DataDirError::InUse { .. }) => {
            let running = Cluster::url_of_running(&folder.join(POSTGRES), OWNER, "reservas");
            let url = running.map_err(|error| error.to_string())?;
            let missing = || format!("{} is in use, and no PostgreSQL runs there", folder.display());
            on(settings, &url.ok_or_else(missing)?, command).await
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn on(mut settings: Settings, url: &str, command: Command) -> Result<(), String> {
    migrate_schemas(url, &[Service::Users]).await?;
    settings.users.server.database_url = Secret::default();
    let context = Service::Users.context(&settings, url, CancellationToken::new())?;
    let done = work(&settings, &context, command).await;
    context.db.close().await;
    done.map_err(|problem| one_line(&problem))
}

async fn work(settings: &Settings, context: &Context, command: Command) -> Result<(), Problem> {
    match command {
        Command::Create { slug, name, admin_email } => {
            let users = &settings.users;
            let admin = users::create_organization(context, users, &slug, &name, &admin_email, None).await?;
            let password = admin.password.as_ref().map_or("(the password you set)", Secret::expose);
            say(format_args!("{slug}: the administrator, shown this once: {} {password}", admin.email));
        }
        Command::List => list(context).await?,
        Command::Hosts { slug, hosts } => {
            users::set_hosts(context, &slug, hosts.into_iter().collect()).await?;
            say(format_args!("{slug} has its host names"));
        }
        Command::Disable { slug } => {
            users::set_active(context, &slug, false).await?;
            say(format_args!("{slug} is disabled"));
        }
        Command::Enable { slug } => {
            users::set_active(context, &slug, true).await?;
            say(format_args!("{slug} is enabled"));
        }
    }
    Ok(())
}

async fn list(context: &Context) -> Result<(), Problem> {
    let mut after = String::new();
    loop {
        let page = users::list_organizations(context, &after, PAGE).await?;
        for one in &page {
            let state = if one.active { "active" } else { "disabled" };
            let hosts: Vec<&str> = one.hosts.iter().map(String::as_str).collect();
            let hosts = hosts.join(" ");
            say(format_args!("{:<24} {state:<8} {} {} {hosts}", one.slug, one.id, one.name));
        }
        match page.last() {
            Some(last) if i64::try_from(page.len()).is_ok_and(|read| read == PAGE) => {
                after.clone_from(&last.slug);
            }
            _ => return Ok(()),
        }
    }
}

/// What is wrong, with the values that are.
fn one_line(problem: &Problem) -> String {
    let errors: Vec<&str> = problem.errors.iter().map(|error| error.detail.as_str()).collect();
    if errors.is_empty() { problem.detail.clone() } else { errors.join(" ") }
}
