//! Serving a router on a listener until told to stop, and draining what is under way.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take to end once the process stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown` is cancelled; then takes no new connection and waits for the requests under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let signal = shutdown.clone();
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { signal.cancelled().await });
    let deadline = async move {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = server => result,
        () = deadline => {
            tracing::warn!("requests were still under way after {} s and were cut", DRAIN.as_secs());
            Ok(())
        }
    }
}
