//! An endpoint: what clients may ask for, and the backends that answer it.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

use super::backend::{self, Backend, FlatmapOp};
use super::deprecation::Deprecation;
use super::issuers;
use super::json::Position;
use super::limit::RateLimit;
use super::pattern::{self, Segment};
use super::root::Root;
use super::section::Section;
use super::validator::{KeySource, Validator};
use super::websocket::Websocket;

/// Which names pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// The list is absent or empty, so the default holds.
    Unset,
    /// All of them (`*`).
    All,
    /// These; header names are lower case.
    Listed(Vec<String>),
}

impl Names {
    /// Reads a list in which `*` means all.
    pub fn read(section: &Section<'_>, key: &str, lowercase: bool) -> Self {
        let list = section.strings(key).unwrap_or_default();
        if list.is_empty() {
            return Self::Unset;
        }
        if list.iter().any(|name| name == "*") {
            return Self::All;
        }
        Self::Listed(if lowercase { list.iter().map(|name| name.to_lowercase()).collect() } else { list })
    }

    /// Whether a name passes; `unset` says what an absent list means.
    pub fn pass(&self, name: &str, unset: bool) -> bool {
        match self {
            Self::Unset => unset,
            Self::All => true,
            Self::Listed(list) => list.iter().any(|listed| listed == name),
        }
    }
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A JSON object.
    Json,
    /// The JSON list under `collection`.
    Collection,
    /// The text under `content`.
    Text,
    /// What the backend sent.
    NoOp,
}

/// When fixed data is merged over the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaticWhen {
    /// Always.
    Always,
    /// When no backend failed.
    Success,
    /// When the answer is complete.
    Complete,
    /// When a backend failed.
    Errored,
    /// When the answer is not complete.
    Incomplete,
}

/// Fixed data that is merged over the answer (`proxy.static`).
#[derive(Debug, Clone)]
pub struct Static {
    /// When.
    pub when: StaticWhen,
    /// What.
    pub data: Map<String, Value>,
}

/// What clients may ask for.
#[derive(Debug)]
pub struct Endpoint {
    /// Where it stands in the file.
    pub at: Position,
    /// The keys that lead there, such as `endpoints[2]`.
    pub place: String,
    /// Its path as written.
    pub path: String,
    /// Its path in segments.
    pub segments: Vec<Segment>,
    /// Its method.
    pub method: Method,
    /// Who answers it.
    pub backends: Vec<Backend>,
    /// How long it may take.
    pub timeout: Duration,
    /// What `Cache-Control` says.
    pub cache_ttl: Duration,
    /// How many identical calls run side by side.
    pub concurrent_calls: u64,
    /// Which headers pass.
    pub input_headers: Names,
    /// Which query parameters pass.
    pub input_query_strings: Names,
    /// How the answer is written.
    pub output: Output,
    /// Whether backends are asked one after the other.
    pub sequential: bool,
    /// Steps over the merged answer.
    pub flatmap: Vec<FlatmapOp>,
    /// Fixed data.
    pub fixed: Option<Static>,
    /// Who may call.
    pub validator: Option<Validator>,
    /// Further issuers of tokens (`_reservas/issuers`), each with its keys.
    pub issuers: Vec<Validator>,
    /// How often.
    pub limit: Option<RateLimit>,
    /// The largest request body in bytes.
    pub max_payload: u64,
    /// Whether the answer may go on for ever (`_reservas/stream`).
    pub stream: bool,
    /// How long it may take to begin, when that is not `timeout`: for long polls.
    pub head_timeout: Option<Duration>,
    /// The bounds of a WebSocket, when it is one (`_reservas/websocket`).
    pub websocket: Option<Websocket>,
    /// Whether it is a write that read-only mode lets through (`_reservas/read_only: {"allow": true}`).
    pub allow_in_read_only: bool,
    /// Since when it should no longer be used (`_reservas/deprecation`).
    pub deprecation: Option<Deprecation>,
}

/// What a backend must know of its endpoint to be checked.
pub struct Scope<'r> {
    /// The root, for defaults.
    pub root: &'r Root,
    /// The endpoint's method.
    pub method: Method,
    /// The endpoint's parameters.
    pub parameters: Vec<String>,
    /// Whether the answer is passed on as it is.
    pub no_op: bool,
    /// Whether backends are asked one after the other.
    pub sequential: bool,
    /// Whether there is a token.
    pub validated: bool,
    /// Which backend this is, from zero.
    pub index: usize,
}

impl Endpoint {
    /// Reads an endpoint; `None` when it cannot work, which was reported.
    pub fn read(section: Section<'_>, root: &Root) -> Option<Self> {
        let path = section.string("endpoint");
        let segments = path.as_deref().map_or_else(|| Err("is needed".to_owned()), pattern::endpoint);
        let segments = segments.map_err(|message| section.error("endpoint", message)).ok();
        let method = section.string("method").map_or(Method::GET, |name| method(&section, &name));
        let output = output(&section, root);
        let mut endpoint = Self {
            at: section.at,
            place: section.path.clone(),
            path: path.unwrap_or_default(),
            segments: segments.clone().unwrap_or_default(),
            method,
            backends: Vec::new(),
            timeout: section.duration("timeout").unwrap_or(root.timeout),
            cache_ttl: section.duration("cache_ttl").unwrap_or(root.cache_ttl),
            concurrent_calls: section.integer("concurrent_calls").unwrap_or(1).clamp(1, 5),
            input_headers: Names::read(&section, "input_headers", true),
            input_query_strings: Names::read(&section, "input_query_strings", false),
            output,
            sequential: false,
            flatmap: Vec::new(),
            fixed: None,
            validator: None,
            issuers: Vec::new(),
            limit: None,
            max_payload: root.max_payload,
            stream: false,
            head_timeout: None,
            websocket: None,
            allow_in_read_only: false,
            deprecation: None,
        };
        if let Some(extra) = section.section("extra_config") {
            endpoint.extend(extra);
        }
        endpoint.read_backends(&section, root);
        endpoint.check(&section);
        section.finish();
        segments.map(|_| endpoint)
    }

    fn extend(&mut self, extra: Section<'_>) {
        if let Some(proxy) = extra.section("proxy") {
            self.sequential = proxy.flag("sequential");
            self.flatmap = backend::flatmap(&proxy);
            self.fixed = proxy.section("static").and_then(fixed);
            proxy.finish();
        }
        if let Some(validator) = extra.section("auth/validator") {
            self.validator = Validator::read(validator);
        }
        self.issuers = issuers::read(&extra, self.validator.as_ref());
        if let Some(limit) = extra.section("qos/ratelimit/router") {
            let limit = RateLimit::read(limit);
            if let super::limit::RateKey::Param(name) = &limit.key
                && !self.parameters().contains(name)
            {
                extra.error("qos/ratelimit/router", format!("`{name}` is no parameter of the endpoint"));
            }
            self.limit = Some(limit);
        }
        if let Some(own) = extra.section("_reservas/ratelimit") {
            match &mut self.limit {
                Some(limit) => limit.extend(own),
                None => {
                    extra.error("_reservas/ratelimit", "needs `qos/ratelimit/router`, whose limits it shares")
                }
            }
        }
        if let Some(bytes) = extra.integer("_reservas/max_payload") {
            self.max_payload = bytes;
        }
        if let Some(stream) = extra.section("_reservas/stream") {
            self.stream = stream.maybe_flag("enabled").unwrap_or(true);
            self.head_timeout = stream.duration("head_timeout");
            if self.head_timeout.is_some_and(|timeout| timeout.is_zero()) {
                stream.error("head_timeout", "must be longer than zero");
            }
            stream.finish();
        }
        self.websocket = extra.section("_reservas/websocket").map(Websocket::read);
        if let Some(read_only) = extra.section("_reservas/read_only") {
            self.allow_in_read_only = read_only.flag("allow");
            read_only.finish();
        }
        self.deprecation = extra.section("_reservas/deprecation").and_then(Deprecation::read);
        extra.finish();
    }

    /// Whether it asks anyone over TLS.
    pub fn needs_tls(&self) -> bool {
        let mut validators = self.validator.iter().chain(&self.issuers);
        let keys =
            validators.any(|rules| matches!(&rules.keys, KeySource::Url(url) if url.starts_with("https")));
        keys || self.backends.iter().flat_map(|backend| &backend.hosts).any(|host| host.scheme() == "https")
    }

    fn parameters(&self) -> Vec<String> {
        let name = |segment: &Segment| match segment {
            Segment::Parameter(name) => Some(name.clone()),
            Segment::Literal(_) => None,
        };
        self.segments.iter().filter_map(name).collect()
    }

    fn read_backends(&mut self, section: &Section<'_>, root: &Root) {
        for (index, backend) in section.sections("backend").into_iter().enumerate() {
            let scope = Scope {
                root,
                method: self.method.clone(),
                parameters: self.parameters(),
                no_op: self.output == Output::NoOp,
                sequential: self.sequential,
                validated: self.validator.is_some(),
                index,
            };
            self.backends.extend(Backend::read(backend, &scope));
        }
    }

    fn check(&self, section: &Section<'_>) {
        if section.member("backend").is_none()
            || self.backends.is_empty() && section.sections("backend").is_empty()
        {
            section.error("backend", "an endpoint needs a backend");
        }
        let answering = self.backends.iter().filter(|backend| !backend.shadow).count();
        if !self.backends.is_empty() && answering == 0 {
            section.error("backend", "every backend is a shadow, so nobody answers");
        }
        if self.output == Output::NoOp && answering > 1 {
            section.error("backend", "`no-op` passes on the answer of one backend, so there must be one");
        }
        if self.stream && self.output != Output::NoOp {
            section.error("extra_config", "`_reservas/stream` needs `no-op`");
        }
        if self.websocket.is_some() && (self.output != Output::NoOp || self.method != Method::GET) {
            section.error("extra_config", "`_reservas/websocket` needs `no-op` and GET");
        }
        if self.stream && self.backends.iter().any(|backend| backend.cache.is_some()) {
            section.error("extra_config", "`_reservas/stream` and `qos/http-cache` exclude each other");
        }
        if self.output != Output::NoOp && self.method != Method::GET {
            section.warn(
                "method",
                "a write that is not `no-op` loses its status: 201, 204 and 409 become 200 or 500",
            );
        }
    }
}

/// Only the methods of the format.
pub fn method(section: &Section<'_>, name: &str) -> Method {
    match name.to_uppercase().as_str() {
        "" | "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => {
            section.error("method", format!("`{name}` is not one of GET, POST, PUT, PATCH, DELETE"));
            Method::GET
        }
    }
}

fn output(section: &Section<'_>, root: &Root) -> Output {
    let named = section.string("output_encoding").or_else(|| root.output_encoding.clone());
    match named.as_deref() {
        None | Some("" | "json" | "fast-json" | "negotiate") => Output::Json,
        Some("json-collection") => Output::Collection,
        Some("string") => Output::Text,
        Some("no-op") => Output::NoOp,
        Some(other) => {
            section.unsupported(
                "output_encoding",
                format!("`{other}` is not supported: take json, json-collection, string, negotiate or no-op"),
            );
            Output::Json
        }
    }
}

fn fixed(section: Section<'_>) -> Option<Static> {
    let when = match section.string("strategy").as_deref() {
        None | Some("always") => StaticWhen::Always,
        Some("success") => StaticWhen::Success,
        Some("complete") => StaticWhen::Complete,
        Some("errored") => StaticWhen::Errored,
        Some("incomplete") => StaticWhen::Incomplete,
        Some(_) => {
            section.error("strategy", "must be always, success, complete, errored or incomplete");
            return None;
        }
    };
    let data = section.member("data").map(|member| as_floats(member.node.to_value()));
    let Some(Value::Object(data)) = data else {
        section.error("data", "must be an object");
        return None;
    };
    section.finish();
    Some(Static { when, data })
}

/// The original reads its own file into floating-point numbers, so that `1.0` in it is shown as `1`.
fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            let plain = float == 0.0 || (1e-6..1e21).contains(&float.abs());
            let text = if plain { float.to_string() } else { format!("{float:e}") };
            serde_json::from_str(&text).unwrap_or(Value::Number(number))
        }
        Value::Array(items) => items.into_iter().map(as_floats).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, as_floats(value))).collect())
        }
        other => other,
    }
}
