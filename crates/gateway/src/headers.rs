//! Headers of the connection, which end here, and of the gateway itself.

use http::header::{
    CONNECTION, COOKIE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The client's address.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The host that the client asked for.
pub const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The gateway, where the client's own `User-Agent` is passed on.
pub const FORWARDED_VIA: HeaderName = HeaderName::from_static("x-forwarded-via");
/// What ties log lines of one request together.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// The place in a trace (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Removes what concerns one connection only, and what `Connection` names (RFC 9110, section 7.6.1).
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // Most are not there, and to look through those that are is cheaper than to remove each.
    let here = |name: &&HeaderName| OF_THE_CONNECTION.contains(name) || named.contains(name);
    while let Some(name) = headers.keys().find(here).cloned() {
        headers.remove(&name);
    }
}

/// One cookie header of the several that HTTP/2 may split it into (RFC 9113, section 8.2.3).
pub fn join_cookies(headers: &mut HeaderMap) {
    let all: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if all.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
}

/// What concerns one connection only, and the host, which is another one on each side.
static OF_THE_CONNECTION: [HeaderName; 11] = [
    CONNECTION,
    HOST,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    http::header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// How the gateway names itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// To backends.
    pub user_agent: HeaderValue,
    version: Option<(HeaderName, HeaderValue)>,
    completed: HeaderName,
}

impl Identity {
    /// With a version to be compatible with, the names of the original; without, our own and no version.
    pub fn new(compat: Option<&str>, hide_version: bool) -> Self {
        let ours = Self {
            user_agent: HeaderValue::from_static("Reservas-Gateway"),
            version: None,
            completed: HeaderName::from_static("x-gateway-completed"),
        };
        let Some(version) = compat else { return ours };
        let shown = format!("Version {}", if hide_version { "undefined" } else { version });
        Self {
            user_agent: HeaderValue::from_str(&format!("KrakenD Version {version}"))
                .unwrap_or(ours.user_agent),
            version: HeaderValue::from_str(&shown)
                .ok()
                .map(|shown| (HeaderName::from_static("x-krakend"), shown)),
            completed: HeaderName::from_static("x-krakend-completed"),
        }
    }

    /// Whether the names are those of the original.
    pub fn is_compatible(&self) -> bool {
        self.version.is_some()
    }

    /// Whether an answer is marked as complete.
    pub fn is_complete(&self, headers: &HeaderMap) -> bool {
        headers.get(&self.completed).is_some_and(|value| value == "true")
    }

    /// Marks an answer as handled, and as complete or not.
    pub fn mark(&self, headers: &mut HeaderMap, complete: bool) {
        if let Some((name, version)) = &self.version {
            headers.insert(name, version.clone());
        }
        let complete = HeaderValue::from_static(if complete { "true" } else { "false" });
        headers.insert(&self.completed, complete);
    }
}
