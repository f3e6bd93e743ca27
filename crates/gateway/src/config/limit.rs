//! The namespaces `qos/ratelimit/router` and `qos/ratelimit/proxy`.

use std::time::Duration;

use super::section::Section;

/// So many requests in such a time, with such a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests that come back per second.
    pub per_second: f64,
    /// Requests that may come at once.
    pub capacity: f64,
}

/// How clients are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateKey {
    /// By address, or by the address in this header.
    Ip(Option<String>),
    /// By the value of this header.
    Header(String),
    /// By the value of this path parameter.
    Param(String),
}

/// The limits of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// For all clients together: 503.
    pub all: Option<Rate>,
    /// For each client: 429.
    pub client: Option<Rate>,
    /// What a client is.
    pub key: RateKey,
    /// Whether the buckets are shared with other gateways (`_reservas/ratelimit`).
    pub shared: bool,
    /// Whether answers that are allowed tell the limit, too (`_reservas/ratelimit`).
    pub headers: bool,
}

impl RateLimit {
    /// Reads the namespace; a rate of zero is none.
    pub fn read(section: Section<'_>) -> Self {
        let every =
            section.duration("every").filter(|every| !every.is_zero()).unwrap_or(Duration::from_secs(1));
        let rate = |rate: &str, capacity: &str| {
            let requests = section.number(rate).filter(|requests| *requests > 0.0)?;
            let capacity =
                section.number(capacity).filter(|capacity| *capacity >= 1.0).unwrap_or(requests).max(1.0);
            Some(Rate { per_second: requests / every.as_secs_f64(), capacity })
        };
        let all = rate("max_rate", "capacity");
        let client = rate("client_max_rate", "client_capacity");
        section.number("capacity");
        section.number("client_capacity");
        section.number("max_rate");
        section.number("client_max_rate");
        // How KrakenD spreads its buckets over shards; our store has its own bound.
        for key in ["num_shards", "cleanup_threads"] {
            section.integer(key);
        }
        section.duration("cleanup_period");
        let key = section.string("key").filter(|key| !key.is_empty());
        let key = match (section.string("strategy").as_deref(), key) {
            (None | Some("" | "ip"), key) => RateKey::Ip(key),
            (Some("header"), Some(key)) => RateKey::Header(key),
            (Some("param"), Some(key)) => RateKey::Param(key),
            (Some("header" | "param"), None) => {
                section.error("strategy", "needs a `key`");
                RateKey::Ip(None)
            }
            (Some(other), _) => {
                section.error("strategy", format!("`{other}` is not one of ip, header, param"));
                RateKey::Ip(None)
            }
        };
        section.finish();
        Self { all, client, key, shared: false, headers: false }
    }

    /// Reads `_reservas/ratelimit` of an endpoint: what is ours of its limits.
    pub fn extend(&mut self, section: Section<'_>) {
        (self.shared, self.headers) = (section.flag("shared"), section.flag("headers"));
        section.finish();
    }
}

/// Reads how often a backend may be asked; a rate of zero is no limit.
pub fn proxy(section: Section<'_>) -> Option<Rate> {
    let every = section.duration("every").filter(|every| !every.is_zero()).unwrap_or(Duration::from_secs(1));
    let requests = section.number("max_rate").filter(|requests| *requests > 0.0);
    let capacity = section.number("capacity").filter(|capacity| *capacity >= 1.0);
    section.finish();
    let requests = requests?;
    let capacity = capacity.unwrap_or(requests).max(1.0);
    Some(Rate { per_second: requests / every.as_secs_f64(), capacity })
}
