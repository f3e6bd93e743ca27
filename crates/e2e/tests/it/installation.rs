//! An installation: the binary as its users start it, in a folder and on ports of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::client::Client;

/// The administrator's password; long enough for the rules.
pub const PASSWORD: &str = "correct horse battery staple";
/// The administrator's address.
pub const ADMIN: &str = "admin@example.com";

/// A running `reservas all`.
pub struct Installation {
    pub folder: tempfile::TempDir,
    pub port: u16,
    environment: Vec<(String, String)>,
    child: Child,
    /// What it said until it was ready.
    pub said: Vec<String>,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
}

/// A second gateway.
pub struct Replica {
    port: u16,
    _child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Replica {
    /// Someone who speaks to this gateway as `client` does to the first.
    pub fn client(&self, client: &Client) -> Client {
        client.at(format!("http://127.0.0.1:{}", self.port))
    }
}

/// The binary that `cargo test` built beside this test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("reservas");
    assert!(binary.exists(), "{} is missing: run `make test`", binary.display());
    binary
}

/// A folder that PostgreSQL's own user may enter, when the tests run as root.
pub fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::with_prefix("reservas-e2e-").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The first of five ports in a row that are free.
pub fn free_ports() -> u16 {
    loop {
        let first = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let free = |port| std::net::TcpListener::bind(("0.0.0.0", port)).is_ok();
        if first < 60000 && (first..first + 5).all(free) {
            return first;
        }
    }
}

/// The binary with an environment that is ours alone.
pub fn command(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear().env("PATH", testkit::variable("PATH")).env("HOME", "/nonexistent");
    command.envs(environment.iter().cloned()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Installation {
    /// A new one on a private PostgreSQL, with settings of the test's own.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let (folder, port) = (folder(), free_ports());
        let data = folder.path().join("data");
        let mut environment = vec![
            ("RESERVAS_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned()),
            ("RESERVAS_PORT_BASE".to_owned(), port.to_string()),
            ("RESERVAS_ADMIN_EMAIL".to_owned(), ADMIN.to_owned()),
            ("RESERVAS_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()),
            ("RESERVAS_USERS_BCRYPT_COST".to_owned(), "4".to_owned()),
            ("RUST_LOG".to_owned(), "warn".to_owned()),
        ];
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let (child, stdout, said) = launch(&environment, &log_file(&folder)).await;
        Self { folder, port, environment, child, said, stdout: Some(stdout) }
    }

    /// One on a new database of the test command's server, as an operator would run it who has a server.
    pub async fn on_database() -> Self {
        Self::on_database_with(&[]).await
    }

    /// The same, with settings of the test's own.
    pub async fn on_database_with(settings: &[(&str, &str)]) -> Self {
        let url = testkit::empty_database().await;
        let database = [("DATABASE_URL", url.as_str())];
        Self::start(&[settings, &database].concat()).await
    }

    /// Creates another organization, and gives its administrator's address and password.
    pub async fn create_organization(&self, slug: &str) -> (String, String) {
        let arguments = ["org", "create", slug, "--name", slug, "--admin-email", "admin@beta.example"];
        let output = command(&arguments, &self.environment).output().await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut words = said.split_whitespace().rev();
        let password = words.next().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (words.next().unwrap().to_owned(), password.to_owned())
    }

    /// Runs another command of the binary with the same settings, and gives what it says.
    pub async fn say(&self, arguments: &[&str]) -> String {
        let output = command(arguments, &self.environment).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Another gateway before the same services, on a port of its own; `elsewhere` are services that it finds at another
    /// address than the others do.
    pub async fn replica(&self, elsewhere: &[(&str, &str)]) -> Replica {
        let port = free_ports();
        let mut arguments = vec!["gateway".to_owned(), "run".to_owned()];
        for (name, offset) in [("users", 1), ("resources", 2), ("bookings", 3), ("notifications", 4)] {
            let address = elsewhere.iter().find(|(other, _)| *other == name);
            let here = format!("127.0.0.1:{}", self.port + offset);
            let address = address.map_or(here, |(_, address)| (*address).to_owned());
            arguments.extend(["--resolve".to_owned(), format!("{name}={address}")]);
        }
        let mut environment = self.environment.clone();
        environment.push(("RESERVAS_GATEWAY_LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = command(&arguments, &environment).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("gateway listens") {
                return Replica { port, _child: child, _stdout: lines };
            }
        }
        panic!("the second gateway ended");
    }

    /// The database's URL, when it was given one.
    pub fn database_url(&self) -> String {
        let (_, url) = self.environment.iter().find(|(name, _)| name == "DATABASE_URL").unwrap();
        url.clone()
    }

    /// What a command about organizations says: on success to standard output, else to standard error.
    pub async fn org(&self, arguments: &[&str]) -> Result<String, String> {
        let output = command(&[&["org"], arguments].concat(), &self.environment).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// A client of its gateway.
    pub fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port))
    }

    /// The administrator, signed in.
    pub async fn admin(&self) -> Client {
        self.client().sign_in(ADMIN, PASSWORD).await
    }

    /// What it has logged, a JSON object a line.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(log_file(&self.folder)).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Kills it as a power cut would, and starts it again on the same data.
    pub async fn crash_and_restart(&mut self) {
        self.child.kill().await.unwrap();
        self.restart().await;
    }

    /// Starts it again after it has ended.
    pub async fn restart(&mut self) {
        let (child, stdout, said) = launch(&self.environment, &log_file(&self.folder)).await;
        (self.child, self.stdout, self.said) = (child, Some(stdout), said);
    }

    /// Tries to start it after it has ended, where it cannot: what it ends with.
    pub async fn try_restart(&self) -> std::process::Output {
        command(&["all"], &self.environment).output().await.unwrap()
    }

    /// Asks it to stop, as Ctrl-C or an orchestrator does, and waits until it has.
    pub async fn stop(&mut self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{signal} ended it with {status}");
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap())
    }
}

fn log_file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("log")
}

/// Starts it and waits until it says that it is ready.
async fn launch(
    environment: &[(String, String)],
    log: &Path,
) -> (Child, Lines<BufReader<ChildStdout>>, Vec<String>) {
    let log_path = log;
    let log = std::fs::File::options().create(true).append(true).open(log_path).unwrap();
    let mut child = command(&["all"], environment).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let is_last = line.starts_with("API docs");
        said.push(line);
        if is_last {
            return (child, lines, said);
        }
    }
    let log = std::fs::read_to_string(log_path).unwrap();
    panic!("it ended before it was ready: {said:?} {log}");
}

impl Drop for Installation {
    /// Its own PostgreSQL must end with it: kill -9 would leave it running until the next start.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.log().iter().for_each(|line| eprintln!("{line}"));
        }
        if let Ok(None) = self.child.try_wait() {
            let _ = kill(self.pid(), Signal::SIGTERM);
            while let Ok(None) = self.child.try_wait() {
                std::thread::yield_now();
            }
        }
    }
}
