//! The namespace `_reservas/deprecation`: headers that tell clients to move on.

use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::section::Section;

/// What the answers of an endpoint say that should no longer be used.
#[derive(Debug, Clone)]
pub struct Deprecation(Vec<(HeaderName, HeaderValue)>);

impl Deprecation {
    /// Reads the namespace; `None` when something in it is wrong, which was reported.
    pub fn read(section: Section<'_>) -> Option<Self> {
        if section.member("since").is_none() {
            section.error("since", "is needed: since when, such as 2026-11-01T00:00:00Z");
        }
        let (since, sunset) = (time(&section, "since"), time(&section, "sunset"));
        let mut headers = Vec::new();
        if let Some(since) = since {
            // A structured date (RFC 9745, section 2.1; RFC 9651, section 3.3.7).
            headers.push((HeaderName::from_static("deprecation"), value(format!("@{}", since.as_second()))?));
        }
        if let Some(sunset) = sunset {
            if since.is_some_and(|since| sunset < since) {
                section.error("sunset", "must not be before `since` (RFC 9745, section 4)");
            }
            // An HTTP date (RFC 8594, section 3).
            let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
            match printer.timestamp_to_rfc9110_string(&sunset) {
                Ok(date) => headers.push((HeaderName::from_static("sunset"), value(date)?)),
                Err(error) => section.error("sunset", error.to_string()),
            }
        }
        for (key, relation) in [("link", "deprecation"), ("sunset_link", "sunset")] {
            headers.extend(link(&section, key, relation).map(|value| (LINK, value)));
        }
        section.finish();
        since.map(|_| Self(headers))
    }

    /// Puts them on an answer, beside the links that the backend has given.
    pub fn mark(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if *name == LINK {
                headers.append(name.clone(), value.clone());
            } else {
                headers.insert(name.clone(), value.clone());
            }
        }
    }

    /// The headers one by one.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0
    }
}

fn time(section: &Section<'_>, key: &str) -> Option<Timestamp> {
    let text = section.string(key)?;
    let read = text.parse().ok();
    if read.is_none() {
        section.error(key, format!("`{text}` is not a time such as 2026-11-01T00:00:00Z"));
    }
    read
}

/// A link to read more (RFC 9745, section 3; RFC 8594, section 6).
fn link(section: &Section<'_>, key: &str, relation: &str) -> Option<HeaderValue> {
    let target = section.string(key)?;
    let fits = target.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte));
    if target.is_empty() || !fits {
        section.error(key, "must be an address without blanks, quotes and angle brackets");
        return None;
    }
    value(format!("<{target}>; rel=\"{relation}\""))
}

fn value(text: String) -> Option<HeaderValue> {
    HeaderValue::try_from(text).ok()
}
