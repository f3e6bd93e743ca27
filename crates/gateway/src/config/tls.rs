//! Encryption towards clients (`tls`) and backends (`client_tls`), checked with the files that it names.

use std::path::PathBuf;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::section::Section;
use crate::tls::files;

/// A certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate first, then those that lead to its root.
    pub certificates: PathBuf,
    /// The private key: PKCS#8, PKCS#1 or SEC 1.
    pub key: PathBuf,
}

/// What both directions have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Versions that are spoken.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// Suites of TLS 1.2 by their registered number, all when absent; those of 1.3 are always there.
    pub suites: Option<Vec<u16>>,
    /// Groups for the key exchange by their registered number, all when absent.
    pub groups: Option<Vec<u16>>,
    /// Roots beside those of the system, PEM files.
    pub ca_certs: Vec<PathBuf>,
    /// Whether the roots of the system count.
    pub system_roots: bool,
}

/// `tls`: the listener speaks TLS only.
#[derive(Debug, Clone)]
pub struct ListenerTls {
    /// What both directions have in common.
    pub terms: Terms,
    /// The first is for clients that name no host or one that no certificate is for.
    pub keys: Vec<KeyPair>,
    /// Whether clients must show a certificate that leads to one of the roots.
    pub mutual: bool,
}

/// `client_tls`: how backends are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTls {
    /// What both directions have in common.
    pub terms: Terms,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// What the gateway shows to backends that want to know who asks; rustls shows the first.
    pub certificate: Option<KeyPair>,
}

impl Terms {
    fn read(section: &Section<'_>) -> Self {
        let ca_certs: Vec<PathBuf> =
            section.strings("ca_certs").unwrap_or_default().into_iter().map(PathBuf::from).collect();
        for path in &ca_certs {
            if let Err(text) = files::certificates(path) {
                section.error("ca_certs", text);
            }
        }
        let known = |key: &str, all: &[u16]| {
            let codes = section.codes(key)?;
            for code in codes.iter().filter(|code| !all.contains(code)) {
                section.unsupported(key, format!("{code} is not supported: take of {all:?}"));
            }
            Some(codes).filter(|codes| !codes.is_empty())
        };
        let terms = Self {
            versions: versions(section),
            suites: known("cipher_suites", &files::suites()),
            groups: known("curve_preferences", &files::groups()),
            ca_certs,
            system_roots: !section.flag("disable_system_ca_pool"),
        };
        if let Err(text) = terms.provider() {
            section.error("cipher_suites", text);
        }
        terms
    }
}

fn versions(section: &Section<'_>) -> Vec<&'static SupportedProtocolVersion> {
    let version = |key: &str| match section.string(key).as_deref() {
        None | Some("" | "TLS13") => 13,
        Some("TLS12") => 12,
        Some(old @ ("SSL3.0" | "TLS10" | "TLS11")) => {
            section.unsupported(key, format!("`{old}` is broken and not supported: take TLS12 or TLS13"));
            12
        }
        Some(other) => {
            section.error(key, format!("`{other}` is no version: take TLS12 or TLS13"));
            13
        }
    };
    match (version("min_version"), version("max_version")) {
        (12, 13) => vec![&TLS12, &TLS13],
        (12, _) => vec![&TLS12],
        (_, 13) => vec![&TLS13],
        _ => {
            section.error("max_version", "is below `min_version`, which is TLS13 when absent");
            vec![&TLS13]
        }
    }
}

/// Reads a pair and says at its keys what is wrong with it.
fn pair(section: &Section<'_>, certificates: &str, key: &str) -> Option<KeyPair> {
    let path = |name: &str| {
        let path = section.string(name).filter(|path| !path.is_empty());
        if path.is_none() {
            section.error(name, "is needed: the path of a PEM file");
        }
        path.map(PathBuf::from)
    };
    let (certificates_path, key_path) = (path(certificates), path(key));
    let pair = KeyPair { certificates: certificates_path?, key: key_path? };
    let chain = files::certificates(&pair.certificates).map_err(|text| section.error(certificates, text));
    let private = files::key(&pair.key).map_err(|text| section.error(key, text));
    if let (Ok(chain), Ok(private)) = (chain, private) {
        if let Some(text) = files::out_of_date(&chain) {
            section.warn(certificates, format!("{}: {text}", pair.certificates.display()));
        }
        if let Err(text) = files::together(chain, private) {
            section.error(key, format!("{}: {text}", pair.key.display()));
        }
    }
    Some(pair)
}

impl ListenerTls {
    /// Reads `tls`; `None` when it is turned off.
    pub fn read(section: Section<'_>) -> Option<Self> {
        let disabled = section.flag("disabled");
        if disabled {
            // Its files need not be there.
            return None;
        }
        let terms = Terms::read(&section);
        let mut keys: Vec<KeyPair> = Vec::new();
        for entry in section.sections("keys") {
            keys.extend(pair(&entry, "public_key", "private_key"));
            entry.finish();
        }
        if section.member("public_key").is_some() || section.member("private_key").is_some() {
            keys.extend(pair(&section, "public_key", "private_key"));
        }
        if keys.is_empty() {
            section.error(
                "keys",
                "needs a certificate: [{\"public_key\": \"cert.pem\", \"private_key\": \"key.pem\"}]",
            );
        }
        section.flag("prefer_server_cipher_suites");
        let mutual = section.flag("enable_mtls");
        if mutual && terms.system_roots {
            section.warn(
                "enable_mtls",
                "every client with a certificate of a public authority gets in: set `disable_system_ca_pool`",
            );
        }
        if mutual && !terms.system_roots && terms.ca_certs.is_empty() {
            section.error("ca_certs", "are needed: without roots no client could get in");
        }
        section.finish();
        Some(Self { terms, keys, mutual })
    }
}

impl ClientTls {
    /// Reads `client_tls`.
    pub fn read(section: Section<'_>) -> Self {
        let terms = Terms::read(&section);
        let insecure = section.flag("allow_insecure_connections");
        if insecure {
            section.warn("allow_insecure_connections", "anyone on the way can be the backend");
        }
        let mut certificates = section.sections("client_certs").into_iter();
        let read = |entry: Section<'_>| {
            let read = pair(&entry, "certificate", "private_key");
            entry.finish();
            read
        };
        let certificate = certificates.next().and_then(read);
        if certificates.next().is_some() {
            section.unsupported("client_certs", "only one certificate is supported");
        }
        section.finish();
        Self { terms, insecure, certificate }
    }
}
