//! Who may import whom: between crates by `cargo metadata`, inside a service by what its files name.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use cargo_metadata::{DependencyKind, Metadata};

use crate::{Outcome, verdict, workspace};

const SERVICE: &[&str] = &["kernel", "contracts", "platform"];
const WITH_HOLIDAYS: &[&str] = &["kernel", "contracts", "platform", "holidays"];

/// The picture in ARCHITECTURE.md: a crate and those of ours that it may be built from.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("holidays", &[]),
    ("otlp", &[]),
    ("contracts", &["kernel"]),
    ("platform", &["kernel", "otlp"]),
    ("users", SERVICE),
    ("resources", WITH_HOLIDAYS),
    ("bookings", WITH_HOLIDAYS),
    ("notifications", SERVICE),
    ("gateway", &["kernel", "contracts", "platform", "otlp"]),
    (
        "reservas",
        &[
            "kernel",
            "contracts",
            "platform",
            "users",
            "resources",
            "bookings",
            "notifications",
            "gateway",
            "otlp",
        ],
    ),
    ("testkit", SERVICE),
    ("e2e", SERVICE),
    ("bench", &["kernel", "contracts", "platform", "testkit"]),
    ("xtask", &["platform"]),
];

/// What tests may import beyond that.
const TESTS_MAY_IMPORT: &[&str] = &["testkit"];

/// Where work comes into a service: asked, told, timed, or by the operator's command (`setup`). They may use all of it.
const ENTRIES: &[&str] = &["api", "on", "jobs", "setup", "lib", "config"];

/// Inside a service `api, on, jobs → store → the nouns, error`: files of the first kind never name the second.
const INSIDE: &[(&str, &[&str])] = &[
    ("the store", &["crate::api", "crate::on", "crate::jobs"]),
    ("a noun", &["crate::api", "crate::on", "crate::jobs", "crate::store", "sqlx::query"]),
];

/// Fails on an edge that the picture does not have.
pub fn run() -> Outcome<ExitCode> {
    let mut wrong = between_crates(&workspace::metadata()?);
    for service in ["users", "resources", "bookings", "notifications"] {
        wrong.extend(inside(&workspace::root()?.join("crates").join(service).join("src"))?);
    }
    Ok(verdict("layers", &wrong, "every import follows the picture"))
}

fn between_crates(metadata: &Metadata) -> Vec<String> {
    let members = metadata.workspace_packages();
    let ours = |name: &str| members.iter().any(|package| package.name.as_str() == name);
    let mut wrong = Vec::new();
    for package in &members {
        let name = package.name.as_str();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(row, _)| *row == name) else {
            wrong.push(format!(
                "{name} is not in the picture: add it to ARCHITECTURE.md and xtask/src/layers.rs"
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| ours(&dependency.name)) {
            let other = dependency.name.as_str();
            let for_tests = dependency.kind == DependencyKind::Development;
            if !(allowed.contains(&other) || for_tests && TESTS_MAY_IMPORT.contains(&other)) {
                wrong.push(format!("{name} must not import {other} (it may import: {})", allowed.join(", ")));
            }
        }
    }
    wrong
}

fn inside(source: &Path) -> Outcome<Vec<String>> {
    let mut wrong = Vec::new();
    for file in workspace::rust_files(source)? {
        let first = file.strip_prefix(source)?.iter().next().and_then(|part| part.to_str());
        let layer = match first.map(|part| part.trim_end_matches(".rs")) {
            Some(part) if ENTRIES.contains(&part) => continue,
            Some("store") => "the store",
            _ => "a noun",
        };
        let text = fs::read_to_string(&file)?;
        let forbidden = INSIDE.iter().filter(|(row, _)| *row == layer).flat_map(|(_, names)| names.iter());
        for name in forbidden.filter(|name| names(&text, name)) {
            wrong.push(format!("{} is {layer} and must not use {name}", file.display()));
        }
    }
    Ok(wrong)
}

/// Whether a line of code, not of comment, names a path: `crate::on` is not in `crate::once`.
fn names(text: &str, path: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.match_indices(path).map(|(at, _)| line.get(at + path.len()..))).any(|after| {
        !after
            .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_lowercase() && path != "sqlx::query"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_its_neighbours() {
        assert!(names("use crate::on::heard;", "crate::on"));
        assert!(names("use crate::on;", "crate::on"));
        assert!(!names("use crate::once;", "crate::on"));
        assert!(!names("// not crate::on", "crate::on"));
        assert!(names("sqlx::query_scalar!(", "sqlx::query"));
    }
}
