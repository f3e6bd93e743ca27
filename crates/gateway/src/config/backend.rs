//! A backend of an endpoint: where it is, how it is asked and what is kept of its answer.

use http::Method;
use url::Url;

use super::cache::HttpCache;
use super::discovery::{self, Name};
use super::endpoint::{Names, Scope, method};
use super::health::HostRules;
use super::limit::{self, Rate};
use super::modifier::Modifier;
use super::pattern::{Source, Template};
use super::section::Section;

/// How long an open breaker rests when the file does not say.
const REST: std::time::Duration = std::time::Duration::from_secs(60);

/// How a backend's answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoding {
    /// An object.
    Json,
    /// A list, which becomes `{"collection": […]}`.
    Collection,
    /// Whatever comes: an object, a list as `collection`, the rest as `content`.
    SafeJson,
    /// Text, which becomes `{"content": "…"}`.
    Text,
    /// Not at all.
    NoOp,
}

/// What a failed answer of a backend becomes (`backend/http`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorReport {
    /// A failure like any other.
    None,
    /// Its status is passed on when it is the only backend.
    Code,
    /// Its status and body are in the answer as `error_<name>`.
    Details(String),
}

/// One step of `flatmap_filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlatmapOp {
    /// Renames or moves.
    Move(Vec<String>, Vec<String>),
    /// Appends the items of one list to another.
    Append(Vec<String>, Vec<String>),
    /// Removes.
    Del(Vec<String>),
}

/// A backend of an endpoint.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Base addresses; asked in turn, repeated ones more often.
    pub hosts: Vec<Url>,
    /// Names by which the DNS tells the hosts, instead of `hosts`.
    pub discovered: Vec<Name>,
    /// The path and query.
    pub url_pattern: Template,
    /// The method.
    pub method: Method,
    /// How its answer is read.
    pub decoding: Decoding,
    /// Fields to keep; empty keeps all.
    pub allow: Vec<Vec<String>>,
    /// Fields to drop.
    pub deny: Vec<Vec<String>>,
    /// Fields to rename.
    pub mapping: Vec<(String, String)>,
    /// The object to take instead of the whole.
    pub target: Vec<String>,
    /// The key to put the whole under.
    pub group: Option<String>,
    /// Steps that replace `allow`, `deny` and `mapping`.
    pub flatmap: Vec<FlatmapOp>,
    /// What a failed answer becomes.
    pub errors: ErrorReport,
    /// Whether its redirects are followed here, or are the answer (`backend/http/client`).
    pub follow_redirects: bool,
    /// Which of the endpoint's headers this backend gets.
    pub input_headers: Names,
    /// Which of the endpoint's query parameters this backend gets.
    pub input_query_strings: Names,
    /// Whether its answer is dropped (`proxy.shadow`).
    pub shadow: bool,
    /// When to stop asking it (`qos/circuit-breaker`).
    pub breaker: Option<Breaker>,
    /// How often it may be asked (`qos/ratelimit/proxy`).
    pub limit: Option<Rate>,
    /// Changes on the way there and back (`modifier/martian`).
    pub modifier: Modifier,
    /// What holds for its hosts.
    pub rules: HostRules,
    /// What is kept of its answers (`qos/http-cache`).
    pub cache: Option<HttpCache>,
}

/// When to stop asking a backend.
#[derive(Debug, Clone, Copy)]
pub struct Breaker {
    /// More consecutive failures than this open it.
    pub max_errors: u64,
    /// How long it stays open until one trial call.
    pub timeout: std::time::Duration,
    /// After this time without a failure the count begins anew; zero is never.
    pub interval: std::time::Duration,
    /// Whether an answer of 5xx counts too (`_reservas/circuit-breaker`).
    pub count_5xx: bool,
}

impl Backend {
    /// Reads a backend; `None` when it cannot work, which was reported.
    pub fn read(section: Section<'_>, scope: &Scope<'_>) -> Option<Self> {
        let named = named(&section, scope);
        let discovered = discovery::names(&section, &named);
        let hosts = if discovered.is_some() { Vec::new() } else { hosts(&section, &named) };
        let url_pattern = template(&section, scope);
        let decoding = decoding(&section, scope);
        // KrakenD reads a backend's own timeout and ignores it.
        if section.member("timeout").is_some() {
            section.warn("timeout", "a backend has no timeout of its own; the endpoint's holds");
        }
        section.flag("disable_host_sanitize");
        let dotted =
            |key: &str| section.strings(key).unwrap_or_default().iter().map(|path| split(path)).collect();
        let mut backend = Self {
            hosts,
            discovered: discovered.unwrap_or_default(),
            url_pattern: url_pattern?,
            method: section
                .string("method")
                .map_or_else(|| scope.method.clone(), |name| method(&section, &name)),
            decoding,
            allow: dotted("allow"),
            deny: dotted("deny"),
            mapping: mapping(&section),
            target: section
                .string("target")
                .filter(|path| !path.is_empty())
                .map(|path| split(&path))
                .unwrap_or_default(),
            group: section.string("group").filter(|group| !group.is_empty()),
            flatmap: Vec::new(),
            errors: ErrorReport::None,
            follow_redirects: true,
            input_headers: Names::read(&section, "input_headers", true),
            input_query_strings: Names::read(&section, "input_query_strings", false),
            shadow: false,
            breaker: None,
            limit: None,
            modifier: Modifier::default(),
            rules: HostRules::default(),
            cache: None,
        };
        if !backend.allow.is_empty() && !backend.deny.is_empty() {
            section.error("deny", "`allow` and `deny` exclude each other");
        }
        if let Some(extra) = section.section("extra_config") {
            backend.extend(extra);
        }
        section.finish();
        Some(backend)
    }

    fn extend(&mut self, extra: Section<'_>) {
        if let Some(proxy) = extra.section("proxy") {
            self.flatmap = flatmap(&proxy);
            self.shadow = proxy.flag("shadow");
            proxy.finish();
        }
        if let Some(http) = extra.section("backend/http") {
            let details = http.string("return_error_details").filter(|name| !name.is_empty());
            let code = http.flag("return_error_code");
            self.errors = match (details, code) {
                (Some(name), _) => ErrorReport::Details(name),
                (None, true) => ErrorReport::Code,
                (None, false) => ErrorReport::None,
            };
            http.finish();
        }
        if let Some(client) = extra.section("backend/http/client") {
            self.follow_redirects = !client.flag("no_redirect");
            client.finish();
        }
        if let Some(limit) = extra.section("qos/ratelimit/proxy") {
            self.limit = limit::proxy(limit);
        }
        if let Some(modifier) = extra.section("modifier/martian") {
            self.modifier = Modifier::read(modifier);
        }
        if let Some(breaker) = extra.section("qos/circuit-breaker") {
            self.breaker = Some(Breaker::read(breaker, false));
        }
        if let Some(breaker) = extra.section("_reservas/circuit-breaker") {
            self.breaker = Some(Breaker::read(breaker, true));
        }
        self.rules = HostRules::read(&extra);
        self.cache = extra.section("qos/http-cache").map(HttpCache::read);
        extra.finish();
    }
}

impl Breaker {
    fn read(section: Section<'_>, count_5xx: bool) -> Self {
        let seconds = |key: &str| std::time::Duration::from_secs(section.integer(key).unwrap_or(0));
        let breaker = Self {
            max_errors: section.integer("max_errors").unwrap_or(1),
            // As in the original, whose breaker takes zero for a minute.
            timeout: Some(seconds("timeout")).filter(|time| !time.is_zero()).unwrap_or(REST),
            interval: seconds("interval"),
            count_5xx,
        };
        section.string("name");
        section.flag("log_status_change");
        section.finish();
        breaker
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

/// New names end at their first dot, as in the original.
fn mapping(section: &Section<'_>) -> Vec<(String, String)> {
    let first = |name: String| name.split('.').next().unwrap_or_default().to_owned();
    section.string_map("mapping").into_iter().map(|(old, new)| (old, first(new))).collect()
}

/// The backend's own hosts, or those of the root.
fn named(section: &Section<'_>, scope: &Scope<'_>) -> Vec<String> {
    let named = section.strings("host").filter(|hosts| !hosts.is_empty());
    let named = named.unwrap_or_else(|| scope.root.host.clone());
    if named.is_empty() {
        section.error("host", "no host, neither here nor at the root");
    }
    named
}

fn hosts(section: &Section<'_>, named: &[String]) -> Vec<Url> {
    let read = |text: &String| {
        let full = if text.contains("://") { text.clone() } else { format!("http://{text}") };
        let url =
            Url::parse(&full).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            section.error("host", format!("`{text}` is not a host such as http://users:8081"));
        }
        url
    };
    named.iter().filter_map(read).collect()
}

fn template(section: &Section<'_>, scope: &Scope<'_>) -> Option<Template> {
    let Some(text) = section.string("url_pattern") else {
        section.error("url_pattern", "is needed");
        return None;
    };
    let template = match Template::read(&text) {
        Ok(template) => template,
        Err(message) => {
            section.error("url_pattern", message);
            return None;
        }
    };
    for source in template.sources() {
        let problem = match source {
            Source::Path(name) if !scope.parameters.contains(name) => {
                Some(format!("`{{{name}}}` is no parameter of the endpoint"))
            }
            Source::Answer { .. } if !scope.sequential => {
                Some("the answer of another backend is known only with `proxy.sequential`".into())
            }
            Source::Answer { backend, .. } if *backend >= scope.index => {
                Some(format!("backend {backend} is not asked before this one"))
            }
            Source::Claim(_) if !scope.validated => {
                Some("a claim is known only with `auth/validator`".into())
            }
            _ => None,
        };
        if let Some(problem) = problem {
            section.error("url_pattern", problem);
        }
    }
    Some(template)
}

fn decoding(section: &Section<'_>, scope: &Scope<'_>) -> Decoding {
    let collection = section.flag("is_collection");
    let decoding = match section.string("encoding").as_deref() {
        None | Some("") if scope.no_op => Decoding::NoOp,
        None | Some("" | "json" | "fast-json") if collection => Decoding::Collection,
        None | Some("" | "json" | "fast-json") => Decoding::Json,
        Some("safejson") => Decoding::SafeJson,
        Some("string") => Decoding::Text,
        Some("no-op") => Decoding::NoOp,
        Some(other) => {
            section.unsupported(
                "encoding",
                format!("`{other}` is not supported: take json, safejson, string or no-op"),
            );
            Decoding::Json
        }
    };
    if scope.no_op != (decoding == Decoding::NoOp) {
        section.error(
            "encoding",
            "`no-op` must stand at the endpoint (`output_encoding`) and at its backend (`encoding`)",
        );
    }
    decoding
}

/// Reads `flatmap_filter` of a `proxy` namespace.
pub fn flatmap(proxy: &Section<'_>) -> Vec<FlatmapOp> {
    let mut ops = Vec::new();
    for step in proxy.sections("flatmap_filter") {
        let kind = step.string("type").unwrap_or_default();
        let args: Vec<Vec<String>> =
            step.strings("args").unwrap_or_default().iter().map(|path| split(path)).collect();
        match (kind.as_str(), args.as_slice()) {
            ("move", [from, to]) => ops.push(FlatmapOp::Move(from.clone(), to.clone())),
            ("append", [from, to]) => ops.push(FlatmapOp::Append(from.clone(), to.clone())),
            ("del", all) if !all.is_empty() => ops.extend(all.iter().cloned().map(FlatmapOp::Del)),
            _ => step.error("type", "must be move or append with two args, or del with at least one"),
        }
        step.finish();
    }
    ops
}
