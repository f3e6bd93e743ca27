//! A real OpenID provider (oidc-provider on node, see `identity_provider/`) in a process of its own.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What the service is to providers.
pub const CLIENT_ID: &str = "reservas";
/// What it proves that with; with characters that have to be escaped.
pub const CLIENT_SECRET: &str = "a secret: 100% + & of many words";

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/identity_provider");

/// A running provider; it ends with this.
pub struct IdentityProvider {
    /// Who it is.
    pub issuer: String,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl IdentityProvider {
    /// Starts one that knows us at some addresses, and some people: their claims by id, in ID tokens or at its userinfo
    /// endpoint alone. Its ID tokens are signed with an algorithm of `RS256`, `ES256` and `EdDSA`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(
        redirect_uris: &[String],
        accounts: Value,
        in_id_token: bool,
        algorithm: &str,
    ) -> Self {
        let us =
            json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": redirect_uris});
        let settings = json!({"clients": [us], "accounts": accounts, "in_id_token": in_id_token, "algorithm": algorithm});
        let mut command = Command::new("node");
        command.arg("provider.mjs").arg(settings.to_string()).current_dir(FOLDER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().expect("node is missing: run scripts/provide oidc");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let commands = process.stdin.take().unwrap();
        let issuer = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.expect("the identity provider does not start: run scripts/provide oidc");
            if line.starts_with("http") {
                break line;
            }
        };
        Self { issuer, commands, lines, process }
    }

    /// What the service is told of it.
    #[must_use]
    pub fn settings(&self) -> Value {
        json!({"issuer": self.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    }

    /// It signs with another key from now on, and shows the old one no more.
    ///
    /// # Panics
    /// When it is no more itself.
    pub async fn rotate(&mut self) {
        self.commands.write_all(b"rotate\n").await.unwrap();
        while self.lines.next_line().await.unwrap().unwrap() != "rotated" {}
    }

    /// It is no more.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}
