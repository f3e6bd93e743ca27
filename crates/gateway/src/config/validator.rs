//! The namespace `auth/validator`.

use std::time::Duration;

use super::section::Section;

/// Where the keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// A JWK set over HTTP (RFC 7517).
    Url(String),
    /// A JWK set in a file.
    File(String),
}

/// Who may call an endpoint.
#[derive(Debug, Clone)]
pub struct Validator {
    /// The one algorithm that is accepted, such as `EdDSA`.
    pub algorithm: jsonwebtoken::Algorithm,
    /// Where the keys are.
    pub keys: KeySource,
    /// How long keys are kept before they are asked for again.
    pub cache_duration: Duration,
    /// `iss`, when it matters.
    pub issuer: Option<String>,
    /// `aud`: all of them must be in the token.
    pub audience: Vec<String>,
    /// Any of them must be in the token.
    pub roles: Vec<String>,
    /// The claim with the roles; dots lead into objects when `roles_nested`.
    pub roles_key: String,
    /// Whether dots in `roles_key` lead into objects.
    pub roles_nested: bool,
    /// Scopes that must be in the token.
    pub scopes: Vec<String>,
    /// The claim with the scopes, separated by spaces or a list.
    pub scopes_key: String,
    /// Whether every scope is needed, rather than any.
    pub scopes_all: bool,
    /// Claims that go to the backend as headers.
    pub propagate_claims: Vec<(String, String)>,
    /// A cookie that may hold the token.
    pub cookie_key: Option<String>,
    /// The header that holds the token.
    pub header: String,
    /// How far clocks may be apart.
    pub leeway: Duration,
}

impl Validator {
    /// Reads the namespace; `None` when it cannot work, which was reported.
    pub fn read(section: Section<'_>) -> Option<Self> {
        Self::read_like(section, None)
    }

    /// The same, with another's rules for what is left out; issuer and keys are its own.
    pub fn read_like(section: Section<'_>, other: Option<&Self>) -> Option<Self> {
        let left_out = |key: &str| section.member(key).is_none();
        let algorithm = match other.filter(|_| left_out("alg")) {
            Some(other) => Some(other.algorithm),
            None => algorithm(&section),
        };
        let keys = keys(&section);
        check_cache(&section);
        let scopes_all = match section.string("scopes_matcher").as_deref() {
            None | Some("any") => false,
            Some("all") => true,
            Some(_) => {
                section.error("scopes_matcher", "must be any or all");
                false
            }
        };
        if !matches!(section.string("key_identify_strategy").as_deref(), None | Some("kid")) {
            section.unsupported("key_identify_strategy", "only `kid` is supported");
        }
        let standard = |key: &str, standard: &str| section.string(key).unwrap_or_else(|| standard.to_owned());
        let mut validator = Self {
            algorithm: algorithm.unwrap_or(jsonwebtoken::Algorithm::EdDSA),
            keys: keys.clone().unwrap_or(KeySource::File(String::new())),
            cache_duration: Duration::from_secs(section.integer("cache_duration").unwrap_or(900).max(1)),
            issuer: section.string("issuer").filter(|issuer| !issuer.is_empty()),
            audience: section.strings("audience").unwrap_or_default(),
            roles: section.strings("roles").unwrap_or_default(),
            roles_key: standard("roles_key", "roles"),
            roles_nested: section.flag("roles_key_is_nested"),
            scopes: section.strings("scopes").unwrap_or_default(),
            scopes_key: standard("scopes_key", "scope"),
            scopes_all,
            propagate_claims: claims(&section),
            cookie_key: section.string("cookie_key"),
            header: standard("auth_header_name", "authorization"),
            leeway: section.duration("leeway").unwrap_or(Duration::from_secs(1)),
        };
        section.flag("operation_debug");
        if let Some(other) = other {
            validator.complete(other, &left_out);
        }
        section.finish();
        algorithm.and(keys).map(|_| validator)
    }

    /// Takes over what was left out: who says nothing of roles must not let everybody in.
    fn complete(&mut self, other: &Self, left_out: &dyn Fn(&str) -> bool) {
        if left_out("audience") {
            self.audience.clone_from(&other.audience);
        }
        if left_out("roles") {
            self.roles.clone_from(&other.roles);
        }
        if left_out("roles_key") {
            self.roles_key.clone_from(&other.roles_key);
            self.roles_nested = other.roles_nested;
        }
        if left_out("scopes") {
            self.scopes.clone_from(&other.scopes);
            self.scopes_all = other.scopes_all;
        }
        if left_out("scopes_key") {
            self.scopes_key.clone_from(&other.scopes_key);
        }
        if left_out("cache_duration") {
            self.cache_duration = other.cache_duration;
        }
        if left_out("leeway") {
            self.leeway = other.leeway;
        }
        // Where the token is, and which claims go to the backend, is the endpoint's and not the issuer's.
        self.propagate_claims.clone_from(&other.propagate_claims);
        self.cookie_key.clone_from(&other.cookie_key);
        self.header.clone_from(&other.header);
    }
}

fn algorithm(section: &Section<'_>) -> Option<jsonwebtoken::Algorithm> {
    let name = section.string("alg").unwrap_or_else(|| "RS256".into());
    let known = name.parse().ok();
    if known.is_none() {
        section.error(
            "alg",
            format!("`{name}` is not supported: take EdDSA, ES256, ES384, RS256 to PS512 or HS256 to HS512"),
        );
    }
    known
}

fn keys(section: &Section<'_>) -> Option<KeySource> {
    let insecure = section.flag("disable_jwk_security");
    match (section.string("jwk_url"), section.string("jwk_local_path")) {
        (Some(url), None) if url.starts_with("https://") || (insecure && url.starts_with("http://")) => {
            Some(KeySource::Url(url))
        }
        (Some(_), None) => {
            section.error("jwk_url", "must be https, or http with `disable_jwk_security`");
            None
        }
        (None, Some(path)) => Some(KeySource::File(path)),
        (Some(_), Some(_)) => {
            section.error("jwk_local_path", "`jwk_url` and `jwk_local_path` exclude each other");
            None
        }
        (None, None) => {
            section.error("jwk_url", "one of `jwk_url` and `jwk_local_path` is needed");
            None
        }
    }
}

/// Keys are always kept: asking for them on every request is a way to be taken down.
fn check_cache(section: &Section<'_>) {
    if section.maybe_flag("cache") == Some(false) {
        section.warn("cache", "keys are kept for `cache_duration` all the same");
    }
}

/// `[["sub", "x-user"], …]`.
fn claims(section: &Section<'_>) -> Vec<(String, String)> {
    let Some(member) = section.member("propagate_claims") else { return Vec::new() };
    let pairs: Option<Vec<(String, String)>> = serde_json::from_value(member.node.to_value()).ok();
    if pairs.is_none() {
        section.error("propagate_claims", "must be a list of pairs of a claim and a header");
    }
    pairs.unwrap_or_default()
}
