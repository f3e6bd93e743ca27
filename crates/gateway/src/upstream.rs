//! The client that asks backends: pooled connections, time-outs, redirects followed, gzip undone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION,
    PROXY_AUTHORIZATION, RANGE, REFERER,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use url::Url;

use crate::body::{self, ResponseBody, Unsized};
use crate::config::ClientTls;
use crate::failure::{Failure, Kind};
use crate::gunzip::Gunzip;
use crate::{pace, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;
/// For what the gateway asks on its own behalf, such as keys.
const OWN_TIMEOUT: Duration = Duration::from_secs(5);
const OWN_LIMIT: u64 = 1024 * 1024;

/// The body of a request to a backend.
pub enum Payload {
    /// None.
    Empty,
    /// Known, so that it can be sent again.
    Known(Bytes),
    /// Passed on as it arrives.
    Stream(ResponseBody),
}

/// A request to a backend.
pub struct Outgoing<'a> {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers, without those of the connection.
    pub headers: Cow<'a, HeaderMap>,
    /// The body.
    pub body: Payload,
    /// Whether a redirect is followed here; else it is the answer.
    pub follow: bool,
}

impl<'a> Outgoing<'a> {
    fn get(url: Url, headers: Cow<'a, HeaderMap>) -> Self {
        Self { method: Method::GET, url, headers, body: Payload::Empty, follow: true }
    }
}

/// The client that asks backends.
#[derive(Clone)]
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, ResponseBody>,
    resolve: Arc<BTreeMap<String, String>>,
    compression: bool,
}

impl Upstream {
    /// With so many idle connections per host, names that stand for other addresses, and gzip or not.
    ///
    /// The system's root certificates are read only when they are needed (`secure`).
    ///
    /// # Errors
    /// When they are needed and there are none.
    pub fn new(
        max_idle_per_host: usize,
        resolve: BTreeMap<String, String>,
        compression: bool,
        secure: bool,
        client_tls: Option<&ClientTls>,
    ) -> Result<Self, String> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(max_idle_per_host)
            .build(with_tls(connector, secure, client_tls)?);
        Ok(Self { client, resolve: Arc::new(resolve), compression })
    }

    /// Reads a small document on the gateway's own behalf.
    ///
    /// # Errors
    /// A sentence on why it cannot be had.
    pub async fn get(&self, url: &str) -> Result<Bytes, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + OWN_TIMEOUT;
        let outgoing = Outgoing::get(url, Cow::default());
        let (response, _) = self.send(outgoing, deadline).await.map_err(|failure| failure.text)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the answer is {}", response.status()));
        }
        let collected = body::limited(response.into_body(), OWN_LIMIT).collect();
        let collected =
            tokio::time::timeout_at(deadline, collected).await.map_err(|_| "it takes too long".to_owned())?;
        collected.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
    }

    /// Whether an address answers 2xx in time; what it says is not looked at.
    pub async fn probe(&self, url: &str, host: Option<HeaderValue>, timeout: Duration) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let headers = Cow::Owned(host.map(|host| (HOST, host)).into_iter().collect());
        let deadline = Instant::now() + timeout;
        let Ok((response, _)) = self.send(Outgoing::get(url, headers), deadline).await else { return false };
        let well = response.status().is_success();
        // A body that is read leaves a connection that can be used again; one that is not read is none of our concern.
        let rest = body::limited(response.into_body(), OWN_LIMIT).collect();
        drop(tokio::time::timeout_at(deadline, rest).await);
        well
    }

    /// Asks a backend and follows its redirects; gives the address that answered, too.
    ///
    /// # Errors
    /// When there is no answer before the deadline.
    pub fn send<'a>(
        &'a self,
        next: Outgoing<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<(Response<ResponseBody>, Url), Failure>> {
        Box::pin(self.follow(next, deadline))
    }

    async fn follow(
        &self,
        mut next: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<(Response<ResponseBody>, Url), Failure> {
        let decode = self.asks_for_gzip(&next.headers);
        for _ in 0..=MAX_REDIRECTS {
            let Outgoing { method, url, headers, body, follow } = next;
            let (body, again) = match body {
                Payload::Empty => (Payload::Empty, Some(Payload::Empty)),
                Payload::Known(bytes) => (Payload::Known(bytes.clone()), Some(Payload::Known(bytes))),
                stream @ Payload::Stream(_) => (stream, None),
            };
            // Those that were sent are needed again when the answer is a redirect.
            let mut all = headers.clone().into_owned();
            if decode {
                all.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            }
            let response = self.exchange(&method, &url, all, body, deadline).await?;
            let sent = Outgoing { method, url: url.clone(), headers, body: Payload::Empty, follow };
            match redirected(&response, sent, again) {
                Some(target) => next = target,
                None => return Ok((if decode { plain(response) } else { response }, url)),
            }
        }
        Err(Failure::new(Kind::BadAnswer, "stopped after 10 redirects"))
    }

    /// Whether answers are asked for compressed and plain again when they come back: the client said nothing of it.
    fn asks_for_gzip(&self, headers: &HeaderMap) -> bool {
        self.compression && !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE)
    }

    async fn exchange(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        body: Payload,
        deadline: Instant,
    ) -> Result<Response<ResponseBody>, Failure> {
        let broken =
            |error: String| Failure::new(Kind::Unreachable, format!("{} \"{url}\": {error}", title(method)));
        let announced = headers.contains_key(CONTENT_LENGTH);
        let sends_body = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        let (body, no_body) = match body {
            Payload::Empty => (body::empty(), true),
            Payload::Known(bytes) if bytes.is_empty() => (body::empty(), true),
            Payload::Known(bytes) => (chunked_unless(announced, body::full(bytes)), false),
            Payload::Stream(stream) => {
                let ended = hyper::body::Body::is_end_stream(&stream);
                (if ended { body::empty() } else { chunked_unless(announced, stream) }, ended)
            }
        };
        let target = self.resolved(url);
        let mut request = Request::builder()
            .method(method.clone())
            .uri(target.as_str())
            .body(body)
            .map_err(|error| broken(error.to_string()))?;
        *request.headers_mut() = headers;
        if no_body {
            request.headers_mut().remove(CONTENT_LENGTH);
            if sends_body {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
        }
        match tokio::time::timeout_at(deadline, self.client.request(request)).await {
            Err(_) => Err(Failure::timeout()),
            // The timer counts milliseconds; a deadline may be shorter.
            Ok(Ok(_)) if Instant::now() > deadline => Err(Failure::timeout()),
            Ok(Ok(response)) => Ok(response.map(body::incoming)),
            Ok(Err(error)) if body::is_too_large(&error) => {
                Err(Failure::new(Kind::TooLarge, "http: request body too large"))
            }
            Ok(Err(error)) if pace::is_too_slow(&error) => {
                Err(Failure::new(Kind::TooSlow, "http: request body too slow"))
            }
            Ok(Err(error)) if body::is_caused_by::<pace::Broken>(&error) => {
                Err(Failure::new(Kind::Incomplete, "http: request body incomplete"))
            }
            Ok(Err(error)) if error.is_connect() => {
                let port = target.port_or_known_default().unwrap_or_default();
                let address = format!("{}:{port}", target.host_str().unwrap_or_default());
                Err(broken(format!("dial tcp {address}: connect: connection refused")))
            }
            Ok(Err(error)) => Err(broken(error.to_string())),
        }
    }

    /// The address with the host and port that stand for its name, so that one file serves a laptop and a cluster.
    fn resolved<'u>(&self, url: &'u Url) -> Cow<'u, Url> {
        let mut target = Cow::Borrowed(url);
        let place = url.host_str().and_then(|host| self.resolve.get(host));
        if let Some((host, port)) = place.and_then(|place| place.rsplit_once(':'))
            && let Ok(port) = port.parse()
        {
            let target = target.to_mut();
            // A host that cannot be set leaves the address as it was; load has checked it.
            let _ = target
                .set_host(Some(host))
                .and_then(|()| target.set_port(Some(port)).map_err(|()| url::ParseError::InvalidPort));
        }
        target
    }
}

fn with_tls(
    connector: HttpConnector,
    secure: bool,
    settings: Option<&ClientTls>,
) -> Result<HttpsConnector<HttpConnector>, String> {
    let config = tls::client::config(secure, settings)?;
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

fn chunked_unless(announced: bool, body: ResponseBody) -> ResponseBody {
    if announced { body } else { body::boxed(Unsized(body)) }
}

/// `GET` as `Get`, the way the original words its failures.
fn title(method: &Method) -> String {
    let (first, rest) = method.as_str().split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

/// The request that a redirect asks for; `None` when the answer is none or cannot be followed.
fn redirected<'a>(
    response: &Response<ResponseBody>,
    sent: Outgoing<'a>,
    again: Option<Payload>,
) -> Option<Outgoing<'a>> {
    if !sent.follow {
        return None;
    }
    let keeps_method = match response.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => return None,
    };
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = sent.url.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut headers = sent.headers.into_owned();
    if url.origin() != sent.url.origin() {
        headers.remove(HOST);
        [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].iter().for_each(|name| drop(headers.remove(name)));
    }
    if sent.url.scheme() == url.scheme() {
        headers.insert(REFERER, HeaderValue::from_str(sent.url.as_str()).ok()?);
    }
    let (method, body) = if keeps_method {
        (sent.method, again?)
    } else {
        [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING].iter().for_each(|name| drop(headers.remove(name)));
        (Method::GET, Payload::Empty)
    };
    Some(Outgoing { method, url, headers: Cow::Owned(headers), body, follow: true })
}

/// The answer without its compression.
pub fn plain(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    let compressed = response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !compressed {
        return response;
    }
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.map(|inner| body::boxed(Gunzip::new(inner)))
}
