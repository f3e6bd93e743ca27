//! Servers of others that are played in a process of their own, for one test: a line of JSON is a command, and one its answer.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Running servers; they end with this.
pub struct Played {
    /// Where they are, and what they gave us.
    pub given: Value,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Played {
    /// Starts them; `need` is what `scripts/provide` calls them.
    ///
    /// # Panics
    /// When they cannot be started.
    pub(crate) async fn start(mut command: Command, need: &str) -> Self {
        let missing = format!("the servers of the tests do not start: run scripts/provide {need}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect(&missing);
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let commands = process.stdin.take().unwrap();
        let line = lines.next_line().await.unwrap().expect(&missing);
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

    /// Gives a command.
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
