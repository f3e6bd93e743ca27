//! The servers that tests talk to, private to one run: PostgreSQL, Redis, an SMTP server and Amazon's services, on free ports.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use platform::postgres::{Cluster, Durability, OWNER, Settings};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};

use crate::{Outcome, workspace};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// All of them, and the variables by which tests find them.
pub struct Servers {
    postgres: Cluster,
    others: Vec<Child>,
    variables: Vec<(&'static str, String)>,
    _folder: TempDir,
}

impl Servers {
    /// Starts all and waits until they answer.
    pub async fn start() -> Outcome<Self> {
        let folder = folder()?;
        let ports = free_ports::<3>()?;
        let mail = folder.path().join("mail");
        let (redis_log, mail_log) = (folder.path().join("redis.log"), folder.path().join("smtp.log"));
        let (aws_log, aws_key) = (folder.path().join("aws.log"), folder.path().join("aws.json"));
        let mut redis = spawn(&redis(ports[0], folder.path()), &redis_log, "redis")?;
        let mut smtp = spawn(&smtp(ports[1], &mail), &mail_log, "smtp")?;
        let mut aws = spawn(&aws(ports[2], &aws_key)?, &aws_log, "vendors")?;
        let postgres = postgres(folder.path()).await?;
        answers(&mut redis, ports[0], &redis_log).await?;
        answers(&mut smtp, ports[1], &mail_log).await?;
        answers(&mut aws, ports[2], &aws_log).await?;
        let variables = vec![
            ("TEST_DATABASE_URL", postgres.url(OWNER, "postgres")),
            ("TEST_REDIS_URL", format!("redis://127.0.0.1:{}", ports[0])),
            ("TEST_SMTP_URL", format!("smtp://127.0.0.1:{}", ports[1])),
            ("TEST_MAILDIR", mail.display().to_string()),
            ("TEST_AWS_URL", format!("http://127.0.0.1:{}", ports[2])),
            // It writes the key down before it listens.
            ("TEST_AWS_KEY", fs::read_to_string(&aws_key)?),
        ];
        Ok(Self { postgres, others: vec![redis, smtp, aws], variables, _folder: folder })
    }

    /// By which tests find them.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Stops all and removes their files.
    pub async fn stop(mut self) -> Outcome<()> {
        for server in &mut self.others {
            // Nothing of theirs is kept.
            server.kill().await?;
        }
        Ok(self.postgres.stop().await?)
    }
}

/// A folder that the user whom PostgreSQL runs as can pass through.
pub fn folder() -> Outcome<TempDir> {
    let folder = tempfile::Builder::new().prefix("reservas-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
    Ok(folder)
}

/// A PostgreSQL that is quick and forgets.
pub async fn postgres(folder: &Path) -> Outcome<Cluster> {
    let settings = Settings { folder: folder.join("postgres"), durability: Durability::Throwaway };
    Ok(Cluster::start(&settings).await?)
}

fn redis(port: u16, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    let line = format!("redis-server --bind 127.0.0.1 --port {port} --appendonly no --dir {folder} --save");
    // The empty word after --save turns snapshots off.
    line.split(' ').map(str::to_owned).chain([String::new()]).collect()
}

fn smtp(port: u16, mail: &Path) -> Vec<String> {
    let mail = mail.display();
    // Debian's own Python: the package is not there for another one that comes first in PATH.
    let line =
        format!("/usr/bin/python3 -m aiosmtpd -n -l 127.0.0.1:{port} -c aiosmtpd.handlers.Mailbox {mail}");
    line.split(' ').map(str::to_owned).collect()
}

fn aws(port: u16, key: &Path) -> Outcome<Vec<String>> {
    let folder = workspace::root()?.join("crates/testkit/vendors");
    let (folder, key) = (folder.display(), key.display());
    Ok([format!("{folder}/.venv/bin/python"), format!("{folder}/aws.py"), port.to_string(), key.to_string()]
        .into())
}

fn spawn(words: &[String], log: &Path, need: &str) -> Outcome<Child> {
    let (program, arguments) = words.split_first().ok_or("no program")?;
    let log = fs::File::create(log)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // Its own process group: Ctrl-C is for the tests first.
    let child = command.process_group(0).kill_on_drop(true).spawn();
    Ok(child.map_err(|error| format!("cannot start {program} ({error}): run scripts/provide {need}"))?)
}

/// Ports that were free a moment ago. All are held until all are chosen, so that they differ.
fn free_ports<const N: usize>() -> Outcome<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

async fn answers(server: &mut Child, port: u16, log: &Path) -> Outcome<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(20));
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if server.try_wait()?.is_some() || Instant::now() > deadline {
            let said = fs::read_to_string(log)?;
            let last = said.lines().last().unwrap_or("nothing").to_owned();
            return Err(format!(
                "a test server does not start; it said: {last} (try scripts/provide redis smtp vendors)"
            )
            .into());
        }
        ticks.tick().await;
    }
    Ok(())
}
