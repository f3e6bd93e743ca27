//! FCM, APNs and the push services of browsers (node, see `push_server/`) in a process of their own, for one test.

use std::process::Stdio;

use jiff::Timestamp;
use serde_json::json;
use tokio::process::Command;

use crate::Played;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/push_server");

/// Push services. Their commands are in `push_server/server.mjs`.
#[derive(Debug, Clone, Copy)]
pub struct PushServer;

impl PushServer {
    /// Starts them, at a time that stands still until it is moved. They give `url`, `apns_url`, `account`, `key`, `key_id`,
    /// `team` and `topic`.
    pub async fn start(now: Timestamp) -> Played {
        let mut command = Command::new("node");
        command.arg("server.mjs").arg(json!({ "now": now.as_second() }).to_string()).current_dir(FOLDER);
        command.stderr(Stdio::null());
        Played::start(command, "push").await
    }
}
