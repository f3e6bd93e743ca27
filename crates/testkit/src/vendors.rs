//! Vendors of mails and short messages (Python, see `vendors/`): SendGrid and Twilio in a process for one test, Amazon's
//! services (moto) in the one of the test command.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::variable;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vendors");

/// Running vendors; they end with this.
pub struct Vendors {
    /// Where they are, and what they gave us: `url`, `sendgrid_key`, `account`, `token`, `event_key`.
    pub given: Value,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Vendors {
    /// Starts them.
    ///
    /// # Panics
    /// When they cannot be started.
    pub async fn start() -> Self {
        let mut command = Command::new(format!("{FOLDER}/.venv/bin/python"));
        command.arg("server.py").current_dir(FOLDER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut process = command.spawn().expect("the vendors are missing: run scripts/provide vendors");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let commands = process.stdin.take().unwrap();
        let line = lines.next_line().await.unwrap();
        let line = line.expect("the vendors do not start: run scripts/provide vendors");
        Self { given: serde_json::from_str(&line).unwrap(), commands, lines, _process: process }
    }

    /// One of the texts that they gave us.
    ///
    /// # Panics
    /// When there is no such text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.given[name].as_str().unwrap()
    }

    /// Gives a command (see `COMMANDS` in `vendors/server.py`).
    ///
    /// # Panics
    /// When they are no more themselves.
    pub async fn tell(&mut self, command: Value) -> Value {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    /// Plans the answer to the next request.
    pub async fn answer(&mut self, status: u16, headers: Value, body: Value) {
        let answers = json!([{ "status": status, "headers": headers, "body": body }]);
        self.tell(json!({ "command": "answer", "answers": answers })).await;
    }

    /// What came since this was asked the last time, and was right in every respect.
    ///
    /// # Panics
    /// When a request was not as the documentation of its vendor says.
    pub async fn got(&mut self) -> Vec<Value> {
        let mut told = self.tell(json!({ "command": "got" })).await;
        assert_eq!(told["faults"], json!([]));
        match told["got"].take() {
            Value::Array(got) => got,
            other => panic!("{other}"),
        }
    }
}

/// Amazon's services of the test command, with the key that they know.
#[derive(Debug)]
pub struct Aws {
    /// Where they are.
    pub url: String,
    /// The key's id.
    pub key_id: String,
    /// The key.
    pub secret: String,
    /// The region.
    pub region: String,
}

impl Aws {
    /// Those of the test command.
    ///
    /// # Panics
    /// When there is no such command.
    #[must_use]
    pub fn find() -> Self {
        let key: Value = serde_json::from_str(&variable("TEST_AWS_KEY")).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let url = variable("TEST_AWS_URL");
        Self { url, key_id: text("key_id"), secret: text("secret"), region: text("region") }
    }

    /// The key as it stands in a URL before its `@`, with that secret or another.
    #[must_use]
    pub fn user(&self, secret: &str) -> String {
        // Secrets have slashes.
        let encoded: String = secret
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        format!("{}:{encoded}", self.key_id)
    }

    /// What was sent by anybody.
    ///
    /// # Panics
    /// When they do not answer.
    #[expect(clippy::disallowed_methods, reason = "a test's own client")]
    pub async fn sent(&self) -> Value {
        let answer = reqwest::get(format!("{}/sent", self.url)).await.unwrap();
        answer.json().await.unwrap()
    }
}
