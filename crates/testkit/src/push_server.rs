//! FCM, APNs and the push services of browsers (node, see `push_server/`) in a process of their own, for one test.

use std::process::Stdio;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/push_server");

/// Running push services; they end with this.
pub struct PushServer {
    /// Where they are, and the credentials they gave us: `url`, `apns_url`, `account`, `key`, `key_id`, `team`, `topic`.
    pub given: Value,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl PushServer {
    /// Starts them, at a time that stands still until it is moved.
    ///
    /// # Panics
    /// When they cannot be started.
    pub async fn start(now: Timestamp) -> Self {
        let mut command = Command::new("node");
        command.arg("server.mjs").arg(json!({ "now": now.as_second() }).to_string()).current_dir(FOLDER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().expect("node is missing: run scripts/provide push");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let commands = process.stdin.take().unwrap();
        let line = lines.next_line().await.unwrap();
        let line = line.expect("the push services do not start: run scripts/provide push");
        Self { given: serde_json::from_str(&line).unwrap(), commands, lines, _process: process }
    }

    /// One of the texts that they gave us.
    ///
    /// # Panics
    /// When there is no such text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.given[name].as_str().unwrap().to_owned()
    }

    /// Gives a command (see `commands` in `push_server/server.mjs`).
    ///
    /// # Panics
    /// When they are no more themselves.
    pub async fn tell(&mut self, command: Value) -> Value {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    /// What came since this was asked the last time, and was right in every respect.
    ///
    /// # Panics
    /// When a request was not as the documentation of its service says.
    pub async fn got(&mut self) -> Vec<Value> {
        let mut told = self.tell(json!({ "command": "got" })).await;
        assert_eq!(told["faults"], json!([]));
        match told["got"].take() {
            Value::Array(got) => got,
            other => panic!("{other}"),
        }
    }
}
