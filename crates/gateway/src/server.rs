//! Accepting connections, and letting what runs finish at the end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Gateway;
use crate::access::Arrival;
use crate::body::{self, Endless, Held, ResponseBody, Until};
use crate::connection::{Guarded, Phase, Timeouts};

/// Connections at once; beyond it clients wait in the listener's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// The largest head in bytes; a larger one is 431.
const MAX_HEAD: usize = 64 * 1024;
/// A failure to accept is mostly a lack of file descriptors, which takes a moment to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers until `shutdown`, then lets what runs finish.
pub async fn run(gateway: Gateway, listener: TcpListener, shutdown: CancellationToken) {
    let wait = gateway.inner().root.max_shutdown_wait_time;
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let present = gateway.metrics.connection();
        let connection = graceful.watch(connect(gateway.clone(), stream, peer, shutdown.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop((permit, present));
        });
    }
    drop(listener);
    if tokio::time::timeout(wait, graceful.shutdown()).await.is_err() {
        tracing::warn!(?wait, "requests were still running when the time to finish was over");
    }
}

/// Answers the requests of one connection.
struct Answering {
    gateway: Gateway,
    peer: SocketAddr,
    phase: Arc<Phase>,
    shutdown: CancellationToken,
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = self.phase.begin();
        let arrival = Arrival { peer: self.peer, ambiguous: self.phase.take_ambiguous() };
        let (gateway, shutdown) = (self.gateway.clone(), self.shutdown.clone());
        Box::pin(async move {
            let mut response = gateway.answer(request, arrival).await;
            if response.extensions_mut().remove::<Endless>().is_some() {
                response = response.map(|inner| body::boxed(Until::new(inner, shutdown)));
            }
            Ok(response.map(|inner| body::boxed(Held::new(inner, busy))))
        })
    }
}

fn connect(
    gateway: Gateway,
    stream: TcpStream,
    peer: SocketAddr,
    shutdown: CancellationToken,
) -> http1::Connection<TokioIo<Guarded>, Answering> {
    // Small answers must not wait for an acknowledgement; a socket that cannot do this still works.
    let _ = stream.set_nodelay(true);
    let inner = gateway.inner();
    let root = &inner.root;
    let timeouts =
        Timeouts { head: root.read_header_timeout, idle: root.idle_timeout, write: root.write_timeout };
    let phase = Arc::new(Phase::default());
    let guarded = Guarded::new(stream, timeouts, Arc::clone(&phase));
    let service = Answering { gateway, peer, phase, shutdown };
    http1::Builder::new().max_buf_size(MAX_HEAD).serve_connection(TokioIo::new(guarded), service)
}
