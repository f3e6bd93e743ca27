//! What is known of a request once its head was read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use otlp::Trace;

use crate::account::Facts;
use crate::config::Router;
use crate::headers::{self, CORRELATION_ID, FORWARDED_FOR, FORWARDED_HOST, TRACEPARENT};
use crate::tunnel::Wish;

/// The other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    address: IpAddr,
    /// The same as text, written once for all requests of the connection.
    text: HeaderValue,
}

impl Peer {
    /// At this address.
    pub fn new(address: SocketAddr) -> Self {
        let address = address.ip().to_canonical();
        Self { address, text: text(address) }
    }
}

/// An address in digits, which a header can always hold.
fn text(address: IpAddr) -> HeaderValue {
    HeaderValue::from_str(&address.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// A request without its body.
#[derive(Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path, still encoded.
    pub path: String,
    /// Its query, still encoded.
    pub query: Option<String>,
    /// The host that was asked for.
    pub host: String,
    /// Whether that is said once, as HTTP/1.1 demands (RFC 9112, section 3.2).
    pub has_one_host: bool,
    /// The client's address.
    pub client: IpAddr,
    /// Whether a trusted proxy passed the request on.
    behind_proxy: bool,
    client_text: HeaderValue,
    /// Its headers, without those of the connection.
    pub headers: HeaderMap,
    /// The wish for a WebSocket, if there is one.
    pub wish: Option<Wish>,
    /// What ties its log lines together; empty until the correlation layer sets it.
    pub correlation_id: String,
    /// Its place in a trace; empty until the correlation layer sets it.
    pub traceparent: String,
    /// Its span, when traces are on.
    pub trace: Option<Trace>,
    /// Whether calls to backends have spans of their own.
    pub trace_backends: bool,
    /// What the layers learn about it.
    pub facts: Arc<Facts>,
}

impl Call {
    /// Reads a head. The client's word on its address counts only from a trusted proxy.
    pub fn new(mut parts: Parts, peer: &Peer, options: &Router) -> Self {
        let hosts = parts.headers.get_all(HOST).iter().take(2).count();
        let has_one_host = hosts == 1 || (hosts == 0 && parts.version != Version::HTTP_11);
        let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let host = host.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
        let client = client(peer.address, &parts.headers, options);
        let wish = Wish::of(&mut parts);
        let mut headers = parts.headers;
        headers::strip_hop_by_hop(&mut headers);
        headers::join_cookies(&mut headers);
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            host,
            has_one_host,
            client,
            behind_proxy: is_trusted(peer.address, options),
            client_text: if client == peer.address { peer.text.clone() } else { text(client) },
            headers,
            wish,
            correlation_id: String::new(),
            traceparent: String::new(),
            trace: None,
            trace_backends: false,
            facts: Arc::default(),
        }
    }

    /// Sets what every backend is told.
    pub fn announce(&self, headers: &mut HeaderMap) {
        headers.insert(FORWARDED_FOR, self.client_text.clone());
        let fixed = [
            (FORWARDED_HOST, &self.host),
            (CORRELATION_ID, &self.correlation_id),
            (TRACEPARENT, &self.traceparent),
        ];
        for (name, text) in fixed {
            match HeaderValue::from_str(text) {
                Ok(value) if !text.is_empty() => drop(headers.insert(name, value)),
                // What a client says of itself in our name is not passed on.
                _ => drop(headers.remove(name)),
            }
        }
    }

    /// The client's address as a trusted proxy tells it in a header, the first of its list; else the one that is known.
    pub fn client_in(&self, name: &str) -> IpAddr {
        let told = self.header(name).split(',').next().and_then(|text| text.trim().parse().ok());
        told.filter(|_| self.behind_proxy).unwrap_or(self.client)
    }

    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The rightmost address that is no trusted proxy: what stands left of it, anyone could have written.
fn client(peer: IpAddr, headers: &HeaderMap, options: &Router) -> IpAddr {
    if !is_trusted(peer, options) {
        return peer;
    }
    for name in &options.remote_ip_headers {
        let lists = headers.get_all(name.as_str()).iter().filter_map(|value| value.to_str().ok());
        let all: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
        let mut hops = all.iter().rev().map_while(|text| text.parse::<IpAddr>().ok());
        if let Some(found) = hops.find(|address| !is_trusted(*address, options)) {
            return found;
        }
    }
    peer
}

fn is_trusted(address: IpAddr, options: &Router) -> bool {
    options.trusted_proxies.iter().any(|(network, bits)| contains(*network, *bits, address))
}

/// Whether an address is in a network.
pub fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            (network.to_bits() & mask) == (address.to_bits() & mask)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            (network.to_bits() & mask) == (address.to_bits() & mask)
        }
        _ => false,
    }
}
