//! The port where Prometheus reads the metrics (`exporters.prometheus` of the route file).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Gateway;

/// Readers at once; more wait in the listener's queue.
const READERS: usize = 16;
/// How long a reader may take to ask, and to be answered.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What the text is (OpenMetrics).
const TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Takes the ports that the file names, and shows the metrics on each.
///
/// # Errors
/// When a port cannot be had.
pub async fn start(gateway: &Gateway, shutdown: &CancellationToken) -> std::io::Result<()> {
    for address in gateway.inner().root.telemetry.iter().flat_map(|telemetry| &telemetry.prometheus) {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            std::io::Error::new(error.kind(), format!("metrics cannot be shown on {address}: {error}"))
        })?;
        tokio::spawn(run(gateway.clone(), listener, shutdown.clone()));
    }
    Ok(())
}

/// Shows the metrics of the gateway on `listener` until `shutdown`.
async fn run(gateway: Gateway, listener: TcpListener, shutdown: CancellationToken) {
    let room = Arc::new(Semaphore::new(READERS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        // A lack of file descriptors passes; the next turn waits for the next connection.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let gateway = gateway.clone();
        let answer =
            service_fn(move |request| std::future::ready(Ok::<_, Infallible>(show(&gateway, &request))));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(TIMEOUT)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), answer);
        tokio::spawn(async move {
            // A reader that goes away is its own affair.
            let _ = tokio::time::timeout(2 * TIMEOUT, connection).await;
            drop(permit);
        });
    }
}

fn show(gateway: &Gateway, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() == "/metrics" {
        *response.body_mut() = Full::new(gateway.metrics().into());
        response.headers_mut().insert(header::CONTENT_TYPE, TYPE);
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
