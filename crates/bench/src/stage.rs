//! What a measurement runs on: a private, durable PostgreSQL, an issuer of tokens, and replicas of the service.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use kernel::SystemClock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use platform::postgres::{Cluster, Durability, OWNER, Settings};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use tempfile::TempDir;
use testkit::Issuer;

use crate::Outcome;
use crate::replica::Replica;

/// The database of the measurement.
const DATABASE: &str = "reservas";

/// What an operator of a large installation sets for its memory; nothing of it trades away durability.
const MEMORY: [(&str, &str); 5] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "15min"),
    ("maintenance_work_mem", "1GB"),
    ("random_page_cost", "1.1"),
];

/// How the server is to be set up.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// With pg_stat_statements.
    pub statements: bool,
    /// Locked while measuring.
    pub alone: Option<PathBuf>,
}

impl Tuning {
    /// Waits for the lock that keeps others quiet; it is held until the file is dropped.
    pub fn lock(&self) -> Outcome<Option<fs::File>> {
        let Some(path) = &self.alone else { return Ok(None) };
        let file = fs::File::create(path)?;
        file.lock()?;
        Ok(Some(file))
    }
}

/// All of it. Dropped, everything ends.
pub struct Stage {
    /// Signs tokens that the replicas believe.
    pub issuer: Arc<Issuer>,
    /// The replicas.
    pub replicas: Vec<Replica>,
    /// How the server was set up.
    pub tuning: Tuning,
    postgres: Option<Cluster>,
    folder: TempDir,
}

impl Stage {
    /// Starts all of it, with the service's schema and nothing in it.
    pub async fn start(replicas: usize, tuning: &Tuning) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("reservas-bench-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let postgres = tuned(folder.path(), tuning).await?;
        let issuer = Arc::new(Issuer::start(Arc::new(SystemClock)).await);
        let mut stage =
            Self { issuer, replicas: Vec::new(), tuning: tuning.clone(), postgres: Some(postgres), folder };
        for _ in 0..replicas {
            let replica = Replica::start(stage.folder.path(), &stage.url()?, stage.issuer.base()).await?;
            stage.replicas.push(replica);
        }
        if tuning.statements {
            stage.owner().await?.execute("create extension pg_stat_statements").await?;
        }
        Ok(stage)
    }

    /// Waits for the lock that keeps others quiet; it is held until the file is dropped.
    pub fn alone(&self) -> Outcome<Option<fs::File>> {
        self.tuning.lock()
    }

    /// The database's URL, as its owner.
    pub fn url(&self) -> Outcome<String> {
        let postgres = self.postgres.as_ref().ok_or("PostgreSQL is down")?;
        Ok(postgres.url(OWNER, DATABASE))
    }

    /// A connection as the owner, who sees everything.
    pub async fn owner(&self) -> Outcome<PgConnection> {
        Ok(PgConnectOptions::from_str(&self.url()?)?.connect().await?)
    }

    /// One number that a query gives.
    pub async fn number(&self, query: &str) -> Outcome<i64> {
        let row = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(&mut self.owner().await?).await?;
        Ok(row.try_get(0)?)
    }

    /// The ports of the replicas.
    pub fn ports(&self) -> Vec<u16> {
        self.replicas.iter().map(Replica::port).collect()
    }

    /// What went wrong: one of the answers, and the last errors that the replicas logged.
    pub fn faults(&self, odd: Option<&String>) -> Outcome<Vec<String>> {
        let mut faults: Vec<String> = odd.cloned().into_iter().collect();
        if odd.is_some() {
            for replica in &self.replicas {
                faults.extend(replica.last_words()?);
            }
        }
        Ok(faults)
    }

    /// A file or folder of this measurement.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the figures depend on.
    pub async fn settings(&self) -> Outcome<String> {
        let row = sqlx::query(
            "select concat_ws(', ', 'PostgreSQL ' || current_setting('server_version'),
                              (select string_agg(name || ' ' || current_setting(name), ', ' order by name) from unnest(array[
                                  'fsync', 'full_page_writes', 'synchronous_commit', 'shared_buffers', 'max_wal_size']) name))",
        );
        let postgres: String = row.fetch_one(&mut self.owner().await?).await?.try_get(0)?;
        let cores = std::thread::available_parallelism()?;
        Ok(format!("{cores} cores for clients, service and database together; {postgres}"))
    }

    /// Processor time that PostgreSQL has used, in seconds: the server's processes that are there, and were.
    pub fn postgres_cpu(&self) -> Outcome<f64> {
        let server = self.postmaster()?.to_string();
        let mut ticks = 0.0;
        for entry in fs::read_dir("/proc")? {
            // One that ended meanwhile is counted with its parent.
            let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
            let own = stat.starts_with(&format!("{server} "));
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            if own || fields.get(1) == Some(&server.as_str()) {
                // User and system time, and of the server those of its children that ended.
                let times = fields.iter().skip(11).take(if own { 4 } else { 2 });
                ticks += times.filter_map(|time| time.parse::<f64>().ok()).sum::<f64>();
            }
        }
        Ok(ticks / 100.0)
    }

    fn postmaster(&self) -> Outcome<i32> {
        let file = fs::read_to_string(self.folder.path().join("postgres/postmaster.pid"))?;
        Ok(file.lines().next().unwrap_or_default().trim().parse()?)
    }

    /// Ends PostgreSQL as a power cut would, and starts it again.
    pub async fn crash_postgres(&mut self) -> Outcome {
        let pid = self.postmaster()?;
        kill(Pid::from_raw(pid), Signal::SIGKILL)?;
        if let Some(mut postgres) = self.postgres.take() {
            postgres.exited().await?;
        }
        self.postgres = Some(Cluster::start(&settings(self.folder.path())).await?);
        Ok(())
    }

    /// Stops all of it.
    pub async fn stop(mut self) -> Outcome {
        for replica in self.replicas.drain(..) {
            replica.stop().await?;
        }
        match self.postgres.take() {
            Some(postgres) => Ok(postgres.stop().await?),
            None => Ok(()),
        }
    }
}

fn settings(folder: &Path) -> Settings {
    Settings { folder: folder.join("postgres"), durability: Durability::Safe }
}

/// A server with the settings above; most of them need a second start.
async fn tuned(folder: &Path, tuning: &Tuning) -> Outcome<Cluster> {
    let postgres = Cluster::start(&settings(folder)).await?;
    postgres.ensure_database(DATABASE).await?;
    let mut owner = PgConnectOptions::from_str(&postgres.url(OWNER, DATABASE))?.connect().await?;
    let libraries = tuning.statements.then_some(("shared_preload_libraries", "pg_stat_statements"));
    for (name, value) in MEMORY.into_iter().chain(libraries) {
        owner.execute(AssertSqlSafe(format!("alter system set {name} = '{value}'"))).await?;
    }
    drop(owner);
    postgres.stop().await?;
    Ok(Cluster::start(&settings(folder)).await?)
}
