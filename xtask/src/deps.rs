//! What comes in from others: licences and banned crates, by the lists in deny.toml.

use std::fs;
use std::process::ExitCode;

use cargo_metadata::{Metadata, Package, PackageId};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::{Outcome, verdict, workspace};

/// The part of cargo-deny's file that is checked here.
#[derive(Deserialize)]
struct Lists {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// Those that may bring it in; without any, nobody may.
    #[serde(default)]
    wrappers: Vec<String>,
}

/// Fails on a licence that is not allowed and on a banned crate.
pub fn run() -> Outcome<ExitCode> {
    let lists: Lists = toml::from_str(&fs::read_to_string(workspace::root()?.join("deny.toml"))?)?;
    let metadata = workspace::metadata()?;
    let mut wrong: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|package| licence_fault(package, &lists.licenses.allow))
        .collect();
    for ban in &lists.bans.deny {
        wrong.extend(ban_faults(&metadata, ban));
    }
    let right =
        format!("{} crates, every licence allowed, none banned, TLS by ring alone", metadata.packages.len());
    Ok(verdict("deps", &wrong, &right))
}

fn licence_fault(package: &Package, allowed: &[String]) -> Option<String> {
    let (name, version) = (&package.name, &package.version);
    let Some(licence) = &package.license else {
        return Some(format!("{name} {version} names no licence"));
    };
    let fine = is_allowed(licence, allowed);
    (!fine).then(|| format!("{name} {version} is under {licence}, which deny.toml does not allow"))
}

fn is_allowed(licence: &str, allowed: &[String]) -> bool {
    let holds = |requirement: &spdx::LicenseReq| allowed.contains(&requirement.to_string());
    Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| expression.evaluate(holds))
}

fn ban_faults(metadata: &Metadata, ban: &Ban) -> Vec<String> {
    let banned = metadata.packages.iter().filter(|package| package.name.as_str() == ban.name);
    let users = banned.flat_map(|package| users(metadata, &package.id));
    let refused = users.filter(|user| !ban.wrappers.contains(user));
    refused.map(|user| format!("{user} brings in {}, which is banned: {}", ban.name, ban.reason)).collect()
}

/// The crates that depend on one directly.
fn users(metadata: &Metadata, id: &PackageId) -> Vec<String> {
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    let users = nodes.iter().filter(|node| node.dependencies.contains(id));
    users.map(|node| metadata[&node.id].name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_as_expressions() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        let fine = |licence| is_allowed(licence, &allowed);
        assert!(fine("MIT OR GPL-3.0") && fine("Apache-2.0/MIT") && fine("(MIT OR X11) AND Unicode-3.0"));
        assert!(fine("Apache-2.0 WITH LLVM-exception"));
        assert!(!fine("Apache-2.0") && !fine("MIT AND GPL-3.0") && !fine("Secret") && !fine(""));
    }
}
