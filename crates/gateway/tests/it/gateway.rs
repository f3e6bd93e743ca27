//! A gateway on a free port, stopped when it is dropped.

use std::net::SocketAddr;

use gateway::{Gateway, Options};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running gateway.
pub struct Running {
    pub address: SocketAddr,
    pub stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    /// Starts one with a route file.
    pub async fn start(file: &Value) -> Self {
        Self::start_with(&file.to_string(), Options::default()).await
    }

    /// Starts one with a route file and options.
    pub async fn start_with(text: &str, options: Options) -> Self {
        let gateway = Gateway::parse(text, options).unwrap_or_else(|errors| panic!("{errors}"));
        Self::serve(gateway, TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Serves a gateway that is ready.
    pub fn serve(gateway: Gateway, listener: TcpListener) -> Self {
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(gateway.serve(listener, stop.clone()));
        Self { address, stop }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The options of the published cases.
pub fn compatible() -> Options {
    Options { debug: true, lenient: true, compat: Some("2.13.8".into()), ..Options::default() }
}
