//! Vendors of mails and short messages (Python, see `vendors/`): SendGrid and Twilio in a process for one test, Amazon's
//! services (moto) in the one of the test command.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{Played, variable};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vendors");

/// Vendors. Their commands are in `vendors/server.py`.
#[derive(Debug, Clone, Copy)]
pub struct Vendors;

impl Vendors {
    /// Starts them. They give `url`, `sendgrid_key`, `account`, `token` and `event_key`.
    pub async fn start() -> Played {
        let mut command = Command::new(format!("{FOLDER}/.venv/bin/python"));
        command.arg("server.py").current_dir(FOLDER).stderr(Stdio::inherit());
        Played::start(command, "vendors").await
    }

    /// Plans the answer to the next request.
    pub async fn answer(vendors: &mut Played, status: u16, headers: Value, body: Value) {
        let answers = json!([{ "status": status, "headers": headers, "body": body }]);
        vendors.tell(json!({ "command": "answer", "answers": answers })).await;
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
