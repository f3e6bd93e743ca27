//! Names of path parameters: our router takes any, the original's only one for a place.

use std::collections::HashMap;

use super::endpoint::Endpoint;
use super::pattern::Segment;
use super::section::Findings;

/// Warns of parameters that stand at the same place under another name.
pub fn check(findings: &Findings, endpoints: &[Endpoint]) {
    let mut first: HashMap<String, (&str, &str)> = HashMap::new();
    for endpoint in endpoints {
        let mut before = endpoint.method.to_string();
        for segment in &endpoint.segments {
            before.push('/');
            match segment {
                Segment::Literal(text) => before.push_str(text),
                Segment::Parameter(name) => {
                    let (known, path) = *first.entry(before.clone()).or_insert((name, &endpoint.path));
                    if known != name {
                        findings.warn(
                            endpoint.at,
                            &format!("{}.endpoint", endpoint.place),
                            format!(
                                "the original does not start when `{{{name}}}` is called `{{{known}}}` in {path}"
                            ),
                        );
                    }
                    before.push_str("{}");
                }
            }
        }
    }
}
