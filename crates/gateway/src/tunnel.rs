//! WebSocket: an upgraded connection to a client and one to a backend, and the bytes between them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::header::{
    CONNECTION, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::body;
use crate::body::ResponseBody;
use crate::failure::{Failure, Kind};
use crate::fault::Fault;
use crate::headers;
use crate::own;
use crate::phase::Busy;

/// Bytes held for each direction of a tunnel.
const BUFFER: usize = 16 * 1024;

/// What reaches the backend of a WebSocket whatever its lists say; `Origin` so that it can refuse other sites' pages.
pub const HEADERS: [HeaderName; 7] = [
    CONNECTION,
    UPGRADE,
    ORIGIN,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_EXTENSIONS,
];

/// A client's wish for a WebSocket (RFC 6455, section 4.1).
#[derive(Debug, Clone)]
pub struct Wish {
    headers: HeaderMap,
    client: OnUpgrade,
}

impl Wish {
    /// The wish of a request, if it has one.
    pub fn of(parts: &mut Parts) -> Option<Self> {
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let names = |name: &HeaderName, word: &str| {
            let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
        };
        let asked = parts.version == Version::HTTP_11
            && parts.method == Method::GET
            && names(&CONNECTION, "upgrade")
            && names(&UPGRADE, "websocket")
            && parts.headers.contains_key(SEC_WEBSOCKET_KEY);
        let client = upgrade.filter(|_| asked)?;
        let mut headers = HeaderMap::new();
        for name in HEADERS.iter().filter(|name| **name != CONNECTION && **name != UPGRADE) {
            for value in parts.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        offer(&mut headers);
        Some(Self { headers, client })
    }

    /// Adds what tells a backend of it.
    pub fn announce(&self, headers: &mut HeaderMap) {
        for name in self.headers.keys() {
            headers.remove(name);
            for value in self.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
}

fn offer(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// How many tunnels an endpoint has, and how long they may be silent.
#[derive(Debug)]
pub struct Tunnels {
    room: Arc<Semaphore>,
    idle: Duration,
}

impl Tunnels {
    /// None yet.
    pub fn new(max: usize, idle: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(max)), idle }
    }

    /// Takes a place for a client that wishes for a WebSocket.
    ///
    /// # Errors
    /// 426 when it does not, 503 when there are enough.
    pub fn take(&self, wish: Option<&Wish>) -> Result<OwnedSemaphorePermit, Fault> {
        let upgrade = || {
            Fault::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "This is a WebSocket (RFC 6455).")
                .with_header(UPGRADE, "websocket")
        };
        wish.ok_or_else(upgrade)?;
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| own::overloaded(Duration::from_secs(5)))
    }

    /// What the client is answered when the backend agreed; then the connection becomes a tunnel.
    pub fn open(
        &self,
        wish: Wish,
        permit: OwnedSemaphorePermit,
        response: Response<ResponseBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let (mut parts, _) = response.into_parts();
        let refused = |text: &str| Failure::new(Kind::BadAnswer, text.to_owned());
        let backend = parts.extensions.remove::<OnUpgrade>().ok_or_else(|| refused("no upgrade"))?;
        if !parts.headers.contains_key(SEC_WEBSOCKET_ACCEPT) {
            return Err(refused("the backend did not accept the WebSocket"));
        }
        headers::strip_hop_by_hop(&mut parts.headers);
        offer(&mut parts.headers);
        parts.extensions.clear();
        parts.extensions.insert(Tunnel {
            client: wish.client,
            backend,
            idle: self.idle,
            _permit: Arc::new(permit),
        });
        Ok(Response::from_parts(parts, body::empty()))
    }
}

/// Marks an answer after which the connection is a tunnel.
#[derive(Clone)]
pub struct Tunnel {
    client: OnUpgrade,
    backend: OnUpgrade,
    idle: Duration,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Tunnel {
    /// Carries the bytes until either side ends, nothing moves for too long, or the gateway stops.
    pub async fn run(self, busy: Busy, shutdown: CancellationToken) {
        let carry = async {
            let (client, backend) = tokio::try_join!(self.client, self.backend)?;
            relay(TokioIo::new(client), TokioIo::new(backend), self.idle)
                .await
                .map_err(|error| Box::new(error) as body::BoxError)
        };
        tokio::select! {
            ended = carry => if let Err(error) = ended {
                tracing::debug!(%error, "a WebSocket ended early");
            },
            () = shutdown.cancelled() => {}
        }
        drop(busy);
    }
}

/// Carries bytes both ways; whoever is done is told to the other, who may finish.
async fn relay<A, B>(client: A, backend: B, idle: Duration) -> std::io::Result<()>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (moved, mut movement) = watch::channel(());
    let (client_reads, client_writes) = tokio::io::split(client);
    let (backend_reads, backend_writes) = tokio::io::split(backend);
    let both = async {
        tokio::try_join!(
            pump(client_reads, backend_writes, &moved),
            pump(backend_reads, client_writes, &moved)
        )
    };
    let silence = async {
        while tokio::time::timeout(idle, movement.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
    };
    match select(std::pin::pin!(both), std::pin::pin!(silence)).await {
        Either::Left((ended, _)) => ended.map(drop),
        Either::Right(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &watch::Sender<()>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        moved.send_replace(());
        to.write_all(bytes).await?;
        to.flush().await?;
        moved.send_replace(());
    }
}
