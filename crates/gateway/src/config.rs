//! The route file: what is read of it, its defaults, and everything that is wrong with it.

mod backend;
mod cache;
mod compression;
mod connections;
mod cors;
mod deprecation;
mod discovery;
mod duration;
mod endpoint;
mod health;
mod issuers;
pub mod json;
mod limit;
mod modifier;
mod names;
pub mod pattern;
mod read_only;
mod root;
mod section;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod validator;
mod websocket;

pub use backend::{Backend, Breaker, Decoding, ErrorReport, FlatmapOp};
pub use cache::HttpCache;
pub use compression::Compression;
pub use connections::Connections;
pub use cors::Cors;
pub use discovery::Name;
pub use endpoint::{Endpoint, Names, Output, StaticWhen};
pub use health::{Check, Concurrency, Health, HostRules};
pub use limit::{Rate, RateKey, RateLimit};
pub use modifier::Change;
pub use read_only::{ReadOnly, Source};
pub use root::{Root, Router, parse_network};
pub use section::{ConfigError, ConfigErrors};
pub use telemetry::Layers;
pub use tls::{ClientTls, ListenerTls, Terms};
pub use validator::{KeySource, Validator};

use section::{Findings, Section};

use crate::routes::Routes;

/// A route file that was read and found to be in order.
#[derive(Debug)]
pub struct Config {
    /// What holds for all endpoints.
    pub root: Root,
    /// The endpoints, in the order of the file.
    pub endpoints: Vec<Endpoint>,
    /// What runs but is probably not meant.
    pub warnings: Vec<String>,
}

/// Reads a route file; all errors come together.
pub fn parse(text: &str, lenient: bool) -> Result<Config, ConfigErrors> {
    let node = json::parse(text).map_err(|error| {
        ConfigErrors(vec![ConfigError { at: error.at, path: String::new(), message: error.message }])
    })?;
    let findings = Findings::new(lenient);
    let read = read(&findings, &node);
    // Clashes are found here too, so that they come together with all else.
    let clashes = read.as_ref().and_then(|(root, endpoints)| Routes::build(endpoints, &root.router).err());
    for clash in clashes.into_iter().flatten() {
        findings.error(clash.at, &clash.path, clash.message);
    }
    if let Some((_, endpoints)) = &read {
        names::check(&findings, endpoints);
    }
    let warnings = findings.close()?;
    let missing = || {
        ConfigErrors(vec![ConfigError { at: node.at, path: String::new(), message: "nothing to run".into() }])
    };
    let (root, endpoints) = read.ok_or_else(missing)?;
    Ok(Config { root, endpoints, warnings })
}

fn read(findings: &Findings, node: &json::Node) -> Option<(Root, Vec<Endpoint>)> {
    let section = Section::open(findings, node, String::new())?;
    let root = Root::read(&section);
    let endpoints = section
        .sections("endpoints")
        .into_iter()
        .filter_map(|endpoint| Endpoint::read(endpoint, &root))
        .collect();
    section.finish();
    Some((root, endpoints))
}
