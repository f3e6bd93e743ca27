//! `docs/errors.md` lists every problem code that the code can answer, and no other.

use std::collections::BTreeSet;

use crate::workspace::{read, sources};

/// What stands in double quotes after each occurrence of a pattern, before the end of the call.
fn quoted_after<'t>(text: &'t str, pattern: &str) -> impl Iterator<Item = &'t str> {
    let pattern = pattern.to_owned();
    text.match_indices(&pattern)
        .map(|(at, found)| at + found.len())
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(move |at| {
            let rest = &text[at..];
            let rest = &rest[..rest.len().min(200).min(rest.find(';').unwrap_or(usize::MAX))];
            rest.split('"').nth(1)
        })
}

/// The codes of the arms of `fn code`, up to the end of the function.
fn arms(text: &str) -> impl Iterator<Item = &str> {
    let body = text.split("fn code(&self)").nth(1).unwrap_or_default();
    let body = body.split("\n    }").next().unwrap_or_default();
    body.split('"').skip(1).step_by(2)
}

fn is_code(text: &&str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let sources = sources();
    let mut codes = BTreeSet::new();
    for (_, text) in &sources {
        // Tests beside the code may make up codes.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        codes.extend(arms(text).filter(is_code));
        for call in [
            "Problem::new(",
            "Self::new(",
            "Problem::with_status(",
            "Problem::unavailable(",
            "Self::unavailable(",
            "Fault::new(",
            "bad_request(",
        ] {
            codes.extend(quoted_after(text, call).filter(is_code));
        }
    }
    let document = read("docs/errors.md");
    let documented: BTreeSet<_> =
        document.lines().filter_map(|line| line.strip_prefix("### ")).map(str::trim).collect();
    let missing: Vec<_> = codes.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&codes).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}; unknown: {unknown:?}");
}
