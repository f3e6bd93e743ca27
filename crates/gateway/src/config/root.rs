//! The root of the route file: listening, defaults for endpoints, and what stands before every route.

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::compression::Compression;
use super::connections::Connections;
use super::cors::Cors;
use super::health::HostRules;
use super::limit::{RateKey, RateLimit};
use super::read_only::ReadOnly;
use super::section::Section;
use super::telemetry::Telemetry;
use super::tls::{ClientTls, ListenerTls};

/// Requests larger than this are refused unless an endpoint says otherwise. KrakenD has no limit.
pub const DEFAULT_MAX_PAYLOAD: u64 = 1024 * 1024;

/// What holds for all endpoints.
#[derive(Debug)]
pub struct Root {
    /// The port to listen on, 8080 when absent.
    pub port: u16,
    /// How long an endpoint may take, 2 s when absent.
    pub timeout: Duration,
    /// What `Cache-Control` says, nothing when absent.
    pub cache_ttl: Duration,
    /// Hosts for backends that name none.
    pub host: Vec<String>,
    /// The encoding of answers for endpoints that name none.
    pub output_encoding: Option<String>,
    /// How long a client may take to send its head; zero is for ever, 10 s when absent.
    pub read_header_timeout: Duration,
    /// How long a request may take to arrive; zero, the default, is for ever.
    pub read_timeout: Duration,
    /// How long a client may leave an answer unread; zero is for ever, 60 s when absent.
    pub write_timeout: Duration,
    /// How long a connection may be idle between requests; zero is for ever, 60 s when absent.
    pub idle_timeout: Duration,
    /// Idle connections kept per backend host, 250 when absent.
    pub max_idle_connections_per_host: usize,
    /// How long requests may finish after the stop signal, 10 s when absent.
    pub max_shutdown_wait_time: Duration,
    /// Whether backends are asked for gzip.
    pub compression: bool,
    /// Whether `/__debug/` answers.
    pub debug_endpoint: bool,
    /// Options of the router.
    pub router: Router,
    /// Cross-origin rules.
    pub cors: Option<Cors>,
    /// Headers that are added to every answer.
    pub security: Option<SecurityHeaders>,
    /// Whether correlation ids and the access log are on (`_reservas/log`).
    pub log: bool,
    /// Whether own errors are RFC 9457 problems (`_reservas/errors`).
    pub problems: bool,
    /// The largest request body in bytes (`_reservas/max_payload`).
    pub max_payload: u64,
    /// A cheap limit per client address, before any token is checked (`_reservas/ratelimit`).
    pub early_limit: Option<RateLimit>,
    /// How many connections, and how fast bodies come (`_reservas/connections`).
    pub connections: Connections,
    /// Encryption towards clients (`tls`).
    pub tls: Option<ListenerTls>,
    /// Encryption towards backends (`client_tls`).
    pub client_tls: Option<ClientTls>,
    /// When writes are refused (`_reservas/read_only`).
    pub read_only: ReadOnly,
    /// What holds for the hosts of backends that say nothing else.
    pub rules: HostRules,
    /// Which answers are compressed for clients (`_reservas/compression`).
    pub answer_compression: Option<Compression>,
    /// Where spans and metrics go (`telemetry/opentelemetry`).
    pub telemetry: Option<Telemetry>,
}

/// The namespace `router`.
#[derive(Debug)]
pub struct Router {
    /// Whether a failed JSON endpoint says why.
    pub return_error_msg: bool,
    /// Whether `/a/` is redirected to `/a`.
    pub redirect_trailing_slash: bool,
    /// Whether letter case and double slashes are redirected.
    pub redirect_fixed_path: bool,
    /// Whether a wrong method is 405 rather than 404.
    pub method_not_allowed: bool,
    /// Whether the health endpoint answers.
    pub health: Option<String>,
    /// Whether the version is left out of `X-Krakend`.
    pub hide_version: bool,
    /// The bodies for 404 and 405.
    pub error_body: [Option<String>; 2],
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<(IpAddr, u8)>,
    /// The headers that name the client, when the proxy is trusted.
    pub remote_ip_headers: Vec<String>,
    /// Whether `OPTIONS` is answered for each route.
    pub auto_options: bool,
    /// Paths that the access log leaves out.
    pub logger_skip_paths: Vec<String>,
    /// Whether encoded parameters are refused.
    pub check_params: bool,
}

/// The namespace `security/http`: headers for every answer, ready to be set.
#[derive(Debug, Clone, Default)]
pub struct SecurityHeaders {
    /// Names and values.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Hosts that may be asked for; empty is all.
    pub allowed_hosts: Vec<String>,
}

impl Root {
    /// Believes what these proxies tell of clients. What they pass on comes from many clients over few addresses.
    pub fn trust(&mut self, proxies: &[(IpAddr, u8)]) {
        self.router.trusted_proxies.extend(proxies);
        self.connections.exempt.extend(proxies);
    }

    /// Reads the root without its endpoints.
    pub fn read(section: &Section<'_>) -> Self {
        if section.member("version").is_none() || section.integer("version") != Some(3) {
            section.error("version", "must be 3");
        }
        section.string("name");
        let root = Self {
            port: port(section),
            timeout: section.duration("timeout").unwrap_or(Duration::from_secs(2)),
            cache_ttl: section.duration("cache_ttl").unwrap_or_default(),
            host: section.strings("host").unwrap_or_default(),
            output_encoding: section.string("output_encoding"),
            read_header_timeout: section.duration("read_header_timeout").unwrap_or(Duration::from_secs(10)),
            read_timeout: section.duration("read_timeout").unwrap_or_default(),
            write_timeout: section.duration("write_timeout").unwrap_or(Duration::from_secs(60)),
            idle_timeout: section.duration("idle_timeout").unwrap_or(Duration::from_secs(60)),
            max_idle_connections_per_host: section
                .integer("max_idle_connections_per_host")
                .and_then(|count| count.try_into().ok())
                .filter(|count| *count > 0)
                .unwrap_or(250),
            max_shutdown_wait_time: section
                .duration("max_shutdown_wait_time")
                .unwrap_or(Duration::from_secs(10)),
            compression: !section.flag("disable_compression"),
            debug_endpoint: section.flag("debug_endpoint"),
            router: Router::default(),
            cors: None,
            security: None,
            log: false,
            problems: false,
            max_payload: DEFAULT_MAX_PAYLOAD,
            early_limit: None,
            read_only: ReadOnly::default(),
            connections: Connections::default(),
            tls: section.section("tls").and_then(ListenerTls::read),
            client_tls: section.section("client_tls").map(ClientTls::read),
            rules: HostRules::default(),
            answer_compression: None,
            telemetry: None,
        };
        match section.section("extra_config") {
            Some(extra) => root.with_namespaces(&extra).finish(extra),
            None => root,
        }
    }

    fn with_namespaces(mut self, extra: &Section<'_>) -> Self {
        if let Some(router) = extra.section("router") {
            self.router = Router::read(router);
        }
        if let Some(cors) = extra.section("security/cors") {
            self.cors = Some(Cors::read(cors));
        }
        if let Some(security) = extra.section("security/http") {
            self.security = Some(SecurityHeaders::read(security));
        }
        self.telemetry = extra.section("telemetry/opentelemetry").map(Telemetry::read);
        if let Some(logging) = extra.section("telemetry/logging") {
            for key in ["level", "prefix", "format", "syslog_facility", "custom_format", "access_log_format"]
            {
                logging.string(key);
            }
            for key in ["syslog", "stdout"] {
                logging.flag(key);
            }
            logging.finish();
        }
        self
    }

    fn finish(mut self, extra: Section<'_>) -> Self {
        if let Some(log) = extra.section("_reservas/log") {
            self.log = true;
            log.finish();
        }
        if let Some(errors) = extra.section("_reservas/errors") {
            match errors.string("format").as_deref() {
                Some("problem") => self.problems = true,
                Some("krakend") => {}
                _ => errors.error("format", "must be `problem` or `krakend`"),
            }
            errors.finish();
        }
        if let Some(bytes) = extra.integer("_reservas/max_payload") {
            self.max_payload = bytes;
        }
        if let Some(limit) = extra.section("_reservas/ratelimit") {
            let (shared, headers) = (limit.flag("shared"), limit.flag("headers"));
            let read = RateLimit { shared, headers, ..RateLimit::read(limit) };
            if read.all.is_some() || read.key != RateKey::Ip(None) {
                extra.error(
                    "_reservas/ratelimit",
                    "takes client_max_rate, client_capacity, every, shared and headers; clients are addresses",
                );
            }
            self.early_limit = Some(read).filter(|read| read.client.is_some());
        }
        if let Some(connections) = extra.section("_reservas/connections") {
            self.connections = Connections::read(connections);
        }
        let told = std::mem::take(&mut self.router.trusted_proxies);
        self.trust(&told);
        if let Some(read_only) = extra.section("_reservas/read_only") {
            self.read_only = ReadOnly::read(read_only);
        }
        self.rules = HostRules::read(&extra);
        self.answer_compression = extra.section("_reservas/compression").and_then(Compression::read);
        extra.finish();
        self
    }
}

fn port(section: &Section<'_>) -> u16 {
    match section.integer("port").map(u16::try_from) {
        None => 8080,
        Some(Ok(port)) => port,
        Some(Err(_)) => {
            section.error("port", "must be at most 65535");
            8080
        }
    }
}

impl Default for Router {
    fn default() -> Self {
        Self {
            return_error_msg: false,
            redirect_trailing_slash: true,
            redirect_fixed_path: true,
            method_not_allowed: true,
            health: Some("/__health".into()),
            hide_version: false,
            error_body: [None, None],
            trusted_proxies: Vec::new(),
            remote_ip_headers: vec!["x-forwarded-for".into(), "x-real-ip".into()],
            auto_options: false,
            logger_skip_paths: Vec::new(),
            check_params: true,
        }
    }
}

impl Router {
    fn read(section: Section<'_>) -> Self {
        let standard = Self::default();
        let health = if section.flag("disable_health") {
            None
        } else {
            section.string("health_path").or(standard.health)
        };
        section.flag("disable_access_log");
        let trusted = section.strings("trusted_proxies").unwrap_or_default();
        let believed = section.maybe_flag("forwarded_by_client_ip").unwrap_or(true);
        let router = Self {
            return_error_msg: section.flag("return_error_msg"),
            redirect_trailing_slash: !section.flag("disable_redirect_trailing_slash"),
            redirect_fixed_path: !section.flag("disable_redirect_fixed_path"),
            method_not_allowed: !section.flag("disable_handle_method_not_allowed"),
            health,
            hide_version: section.flag("hide_version_header"),
            error_body: error_body(&section),
            trusted_proxies: trusted
                .iter()
                .filter_map(|text| network(&section, "trusted_proxies", text))
                .filter(|_| believed)
                .collect(),
            remote_ip_headers: section.strings("remote_ip_headers").unwrap_or(standard.remote_ip_headers),
            auto_options: section.flag("auto_options"),
            logger_skip_paths: section.strings("logger_skip_paths").unwrap_or_default(),
            check_params: !section.flag("disable_path_decoding"),
        };
        section.finish();
        router
    }
}

fn error_body(section: &Section<'_>) -> [Option<String>; 2] {
    let Some(bodies) = section.section("error_body") else { return [None, None] };
    let read =
        ["404", "405"].map(|status| bodies.member(status).map(|member| member.node.to_value().to_string()));
    bodies.finish();
    read
}

/// An address or a range such as `10.0.0.0/8`.
#[must_use]
pub fn parse_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address = address.parse::<IpAddr>().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
    (bits <= width).then_some((address, bits))
}

/// An address or a CIDR range.
pub fn network(section: &Section<'_>, key: &str, text: &str) -> Option<(IpAddr, u8)> {
    let parsed = parse_network(text);
    if parsed.is_none() {
        section.error(key, format!("`{text}` is not an address or a range such as 10.0.0.0/8"));
    }
    parsed
}

impl SecurityHeaders {
    fn read(section: Section<'_>) -> Self {
        let mut headers = Vec::new();
        let mut add = |name: &'static str, value: String| match HeaderValue::try_from(value) {
            Ok(value) => headers.push((HeaderName::from_static(name), value)),
            Err(_) => section.error(&name.replace('-', "_"), "cannot stand in a header"),
        };
        if section.flag("frame_deny") {
            add("x-frame-options", "DENY".into());
        }
        if let Some(value) = section.string("custom_frame_options_value").filter(|value| !value.is_empty()) {
            add("x-frame-options", value);
        }
        if section.flag("content_type_nosniff") {
            add("x-content-type-options", "nosniff".into());
        }
        if section.flag("browser_xss_filter") {
            add("x-xss-protection", "1; mode=block".into());
        }
        for (key, name) in
            [("content_security_policy", "content-security-policy"), ("referrer_policy", "referrer-policy")]
        {
            if let Some(value) = section.string(key).filter(|value| !value.is_empty()) {
                add(name, value);
            }
        }
        let seconds = section.integer("sts_seconds").unwrap_or(0);
        let subdomains = if section.flag("sts_include_subdomains") { "; includeSubdomains" } else { "" };
        if seconds > 0 {
            add("strict-transport-security", format!("max-age={seconds}{subdomains}"));
        }
        let allowed_hosts = section.strings("allowed_hosts").unwrap_or_default();
        section.finish();
        Self { headers, allowed_hosts }
    }
}
