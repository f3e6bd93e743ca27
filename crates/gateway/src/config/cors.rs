//! The namespace `security/cors`.

use std::time::Duration;

use super::section::Section;

/// Which other origins may call.
#[derive(Debug)]
pub struct Cors {
    /// Origins, `*` for all, one `*` inside as a wildcard.
    pub allow_origins: Vec<String>,
    /// Methods.
    pub allow_methods: Vec<String>,
    /// Request headers, lower case, `*` for all.
    pub allow_headers: Vec<String>,
    /// Answer headers that a script may read.
    pub expose_headers: Vec<String>,
    /// Whether cookies and the like may be sent.
    pub allow_credentials: bool,
    /// How long a preflight may be kept.
    pub max_age: Duration,
    /// Whether private networks may be asked from public ones.
    pub allow_private_network: bool,
}

impl Cors {
    /// Reads the namespace with the defaults of the CORS library behind the format.
    pub fn read(section: Section<'_>) -> Self {
        let list = |key: &str, standard: &[&str]| {
            let read = section.strings(key).filter(|list| !list.is_empty());
            read.unwrap_or_else(|| standard.iter().map(|text| (*text).to_owned()).collect())
        };
        let cors = Self {
            allow_origins: list("allow_origins", &["*"]),
            allow_methods: list("allow_methods", &["GET", "HEAD", "POST"])
                .iter()
                .map(|text| text.to_uppercase())
                .collect(),
            allow_headers: list("allow_headers", &["accept", "content-type", "x-requested-with"])
                .iter()
                .map(|text| text.to_lowercase())
                .collect(),
            expose_headers: list("expose_headers", &[]),
            allow_credentials: section.flag("allow_credentials"),
            max_age: section.duration("max_age").unwrap_or_default(),
            allow_private_network: section.flag("allow_private_network"),
        };
        section.flag("debug");
        section.finish();
        cors
    }
}
