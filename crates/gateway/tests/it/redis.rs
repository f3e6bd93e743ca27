//! A Redis of a test's own, which can be killed and started again.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// A running Redis on one port.
pub struct Redis {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one on a port that was free a moment ago.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        Self { port, child: launch(port, &folder).await, folder }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash would; everything is forgotten.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again.
    pub async fn restart(&mut self) {
        self.child = launch(self.port, &self.folder).await;
    }
}

/// Starts it and waits until it says that it takes connections.
async fn launch(port: u16, folder: &tempfile::TempDir) -> Child {
    let mut child = Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--appendonly",
            "no",
            "--save",
            "",
            "--dir",
        ])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server is installed (scripts/provide redis)");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("Ready to accept connections") {
            // What it says later is of no interest, but somebody must read it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return child;
        }
    }
    panic!("redis-server ended on port {port}");
}
