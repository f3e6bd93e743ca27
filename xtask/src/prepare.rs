//! Writes `.sqlx` anew: what the compile-time checked queries were told by a database with all migrations applied.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use platform::db::migrate::{Schema, migrate};
use platform::postgres::OWNER;
use sqlx::migrate::Migrator;
use tokio::process::Command;

use crate::{Outcome, servers, workspace};

/// Each is a crate with migrations, and the schema that they make.
const SCHEMAS: [&str; 4] = ["users", "resources", "bookings", "notifications"];

/// Replaces `.sqlx` when the whole workspace compiles against the migrated database, and leaves it alone otherwise.
pub async fn run() -> Outcome<ExitCode> {
    let root = workspace::root()?;
    let folder = servers::folder()?;
    let postgres = servers::postgres(folder.path()).await?;
    postgres.ensure_database("reservas").await?;
    let outcome = rewrite(&root, &postgres.url(OWNER, "reservas")).await;
    postgres.stop().await?;
    outcome
}

async fn rewrite(root: &Path, url: &str) -> Outcome<ExitCode> {
    apply_migrations(root, url).await?;
    let fresh = root.join("target/sqlx-prepare");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    touch_crates()?;
    let mut cargo = Command::new("cargo");
    cargo.args(["check", "--workspace", "--all-targets", "--keep-going"]).current_dir(root);
    let cargo = cargo.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", &fresh);
    if !cargo.kill_on_drop(true).status().await?.success() {
        return Err("the workspace does not compile against its migrations; .sqlx is as it was".into());
    }
    let queries = replace(&fresh, &root.join(".sqlx"))?;
    eprintln!(".sqlx holds {queries} queries");
    Ok(ExitCode::SUCCESS)
}

async fn apply_migrations(root: &Path, url: &str) -> Outcome<()> {
    let mut schemas = Vec::new();
    for name in SCHEMAS {
        let folder = root.join("crates").join(name).join("migrations");
        schemas.push(Schema::new(name, &Migrator::new(folder).await?));
    }
    Ok(migrate(url, &schemas).await?)
}

/// Makes cargo compile every target of ours that may hold a query: it does not know that the database changed.
fn touch_crates() -> Outcome<()> {
    #[expect(clippy::disallowed_methods, reason = "the time of files is the system's")]
    let now = SystemTime::now();
    for package in workspace::metadata()?.workspace_packages() {
        let asks = package.dependencies.iter().any(|dependency| dependency.name == "sqlx");
        for target in package.targets.iter().filter(|target| asks && !target.is_custom_build()) {
            File::options().append(true).open(&target.src_path)?.set_modified(now)?;
        }
    }
    Ok(())
}

fn replace(fresh: &Path, place: &Path) -> Outcome<usize> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::rename(fresh, place)?;
    let files: Vec<PathBuf> =
        fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    Ok(files.len())
}
