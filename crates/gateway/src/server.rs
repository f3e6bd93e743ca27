//! Accepting connections, and letting what runs finish at the end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::access::Arrival;
use crate::body::Endless;
use crate::call::Peer;
use crate::connection::{Guarded, Timeouts};
use crate::framing::MAX_HEAD;
use crate::phase::{Answer, Phase};
use crate::places::{Place, Places};
use crate::tunnel::Tunnel;
use crate::{Gateway, tls};

/// A failure to accept is mostly a lack of file descriptors, which takes a moment to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Requests at once on a connection of HTTP/2.
const MAX_STREAMS: u32 = 100;
/// Bytes of a request that a client of HTTP/2 may send ahead, for each stream and for all of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of an answer that are held for a stream.
const SEND_BUFFER: usize = 64 * 1024;
/// How often a client of HTTP/2 is asked whether it is there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Streams that a client may have opened and reset before they were looked at (CVE-2023-44487).
const MAX_RESET_STREAMS: usize = 20;
/// Streams that may be reset for a client's mistakes.
const MAX_FAULTY_STREAMS: usize = 100;

/// What all connections share.
#[derive(Clone)]
struct Shared {
    gateway: Gateway,
    protocols: Arc<Builder<TokioExecutor>>,
    shutdown: CancellationToken,
}

/// Answers until `shutdown`, then lets what runs finish.
pub async fn run(gateway: Gateway, listener: TcpListener, shutdown: CancellationToken) {
    let inner = gateway.inner();
    let wait = inner.root.max_shutdown_wait_time;
    let places = Places::new(&inner.root.connections);
    let graceful = GracefulShutdown::new();
    let shared = Shared { gateway, protocols: Arc::new(protocols()), shutdown: shutdown.clone() };
    let renewing = tokio::spawn(tls::watch(shared.gateway.clone(), shutdown.clone()));
    loop {
        let permit = tokio::select! {
            permit = places.room() => permit,
            () = shutdown.cancelled() => break,
        };
        let Some(permit) = permit else { break };
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
        let Some(place) = places.take(peer.ip(), permit, shared.gateway.metrics.connection()) else {
            tracing::debug!(%peer, "a client has too many connections");
            continue;
        };
        tokio::spawn(shared.clone().greet(stream, peer, place, graceful.watcher()));
    }
    drop((listener, renewing));
    if tokio::time::timeout(wait, graceful.shutdown()).await.is_err() {
        tracing::warn!(?wait, "requests were still running when the time to finish was over");
    }
}

/// HTTP/1.1 and HTTP/2, with their bounds.
fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_FAULTY_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

impl Shared {
    /// Encrypts the connection when the file says so, then answers on it.
    async fn greet(self, stream: TcpStream, peer: SocketAddr, place: Place, watcher: Watcher) {
        // Small answers must not wait for an acknowledgement; a socket that cannot do this still works.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.gateway.inner().tls.as_ref().map(tls::Live::acceptor) else {
            return self.talk(stream, peer, place, watcher).await;
        };
        // Boxed, so that a connection without TLS does not carry its weight.
        Box::pin(self.encrypt(tls, stream, peer, place, watcher)).await;
    }

    /// Agrees on TLS, then answers on it.
    async fn encrypt(
        self,
        tls: TlsAcceptor,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
        watcher: Watcher,
    ) {
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(tls::HANDSHAKE_TIMEOUT, tls.accept(stream)) => shaken,
            () = self.shutdown.cancelled() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.talk(stream, peer, place, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, %peer, "a client did not agree on TLS"),
            Err(_) => tracing::debug!(%peer, "a client took too long to agree on TLS"),
        }
    }

    /// Answers the requests of a connection.
    async fn talk<S>(self, stream: S, peer: SocketAddr, place: Place, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { gateway, protocols, shutdown } = self;
        let timeouts = Timeouts::of(&gateway.inner().root);
        let phase = Arc::new(Phase::default());
        let guarded = Guarded::new(stream, timeouts, Arc::clone(&phase), place);
        let service = Answering { gateway, peer: Peer::new(peer), phase, shutdown };
        let connection = protocols.serve_connection_with_upgrades(TokioIo::new(guarded), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, %peer, "a connection ended early");
        }
    }
}

/// Answers the requests of one connection.
struct Answering {
    gateway: Gateway,
    peer: Peer,
    phase: Arc<Phase>,
    shutdown: CancellationToken,
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (busy, refusal) = self.phase.begin();
        let arrival = Arrival { peer: self.peer.clone(), refusal };
        let multiplexed = request.version() == Version::HTTP_2;
        let (gateway, shutdown) = (self.gateway.clone(), self.shutdown.clone());
        Box::pin(async move {
            let mut response = gateway.answer(request, arrival).await;
            // What follows such a request cannot be told from its body.
            let over = refusal.is_some() || response.status() == StatusCode::REQUEST_TIMEOUT;
            if over && !multiplexed {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            if let Some(tunnel) = response.extensions_mut().remove::<Tunnel>() {
                busy.phase().become_tunnel();
                tokio::spawn(tunnel.run(busy, shutdown));
                return Ok(response.map(|inner| Answer::new(inner, None, multiplexed)));
            }
            let endless = response.extensions_mut().remove::<Endless>().is_some();
            let response = response.map(|inner| Answer::new(inner, Some(busy), multiplexed));
            Ok(if endless { response.map(|answer| answer.until(shutdown)) } else { response })
        })
    }
}
