//! How long files are, what they are called, and that each says what it is.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::{Outcome, verdict, workspace};

/// Lines of a file, at most.
const LIMIT: usize = 400;

/// Names that say nothing about what is inside.
const SAYS_NOTHING: [&str; 8] = ["mod", "utils", "util", "common", "helpers", "helper", "types", "misc"];

/// Fails for a file that is too long, has an empty name, or does not say what it is.
pub fn run() -> Outcome<ExitCode> {
    let root = workspace::root()?;
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for file in ["crates", "xtask"].map(|folder| workspace::rust_files(&root.join(folder))) {
        for file in file? {
            let text = fs::read_to_string(&file)?;
            let path = file.strip_prefix(&root)?;
            wrong.extend(faults(path, &text));
            // Tests apart, as those were counted that we compare with.
            if !path.iter().any(|part| part == "tests" || part == "tests.rs") {
                let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
                lengths.push((lines, path.to_owned()));
            }
        }
    }
    lengths.sort();
    Ok(verdict("sizes", &wrong, &summary(&lengths)))
}

fn faults(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let path_text = path.display();
    if !text.starts_with("//! ") {
        faults.push(format!("{path_text} does not start with a sentence of what it is (//! …)"));
    }
    let lines = text.lines().count();
    if lines > LIMIT {
        faults.push(format!(
            "{path_text} has {lines} lines, {LIMIT} is the limit: split it by what changes together"
        ));
    }
    let parts = path.iter().filter_map(|part| part.to_str());
    if let Some(part) =
        parts.map(|part| part.trim_end_matches(".rs")).find(|part| SAYS_NOTHING.contains(part))
    {
        faults.push(format!(
            "{path_text} is called \"{part}\", which says nothing: name it after what it holds"
        ));
    }
    faults
}

fn summary<P: AsRef<Path>>(lengths: &[(usize, P)]) -> String {
    let at =
        |percent: usize| lengths.get((lengths.len() * percent / 100).min(lengths.len().saturating_sub(1)));
    match (at(50), at(90), lengths.last()) {
        (Some((median, _)), Some((p90, _)), Some((largest, path))) => {
            let (files, path) = (lengths.len(), path.as_ref().display());
            format!(
                "{files} files, lines without tests: median {median}, p90 {p90}, largest {largest} ({path})"
            )
        }
        _ => "no files".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found() {
        let of = |path: &str, text: &str| faults(Path::new(path), text).len();
        assert_eq!(of("crates/a/src/noun.rs", "//! A noun.\n"), 0);
        assert_eq!(of("crates/a/src/noun.rs", "use a;\n"), 1);
        assert_eq!(of("crates/a/src/utils.rs", "//! Things.\n"), 1);
        assert_eq!(of("crates/a/src/noun/mod.rs", &"//! Long.\n".repeat(401)), 2);
    }

    #[test]
    fn the_summary_names_the_largest() {
        let lengths: Vec<_> = (1..=10).map(|lines| (lines * 10, format!("{lines}.rs"))).collect();
        assert_eq!(
            summary(&lengths),
            "10 files, lines without tests: median 60, p90 100, largest 100 (10.rs)"
        );
        assert_eq!(summary::<&str>(&[]), "no files");
    }
}
