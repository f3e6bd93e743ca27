//! The namespace `_reservas/read_only` of the root: when writes are refused.

use std::time::Duration;

use super::section::Section;

/// Seconds that `Retry-After` says when nobody says otherwise.
const RETRY_AFTER: u64 = 60;
/// How often the source is asked unless the file says otherwise.
const EVERY: Duration = Duration::from_secs(2);

/// When writes are refused.
#[derive(Debug, Clone, Default)]
pub struct ReadOnly {
    /// By the file itself: what `Retry-After` says, in seconds.
    pub always: Option<u64>,
    /// By who is asked again and again.
    pub source: Option<Source>,
}

/// Who says whether writes are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its address.
    pub url: String,
    /// How often it is asked; at least 100 ms.
    pub every: Duration,
    /// What `Retry-After` says when the source does not, in seconds.
    pub retry_after: u64,
}

impl ReadOnly {
    /// Reads the namespace. With a source, `enabled` is off unless it is written down.
    pub fn read(section: Section<'_>) -> Self {
        let retry_after = section.integer("retry_after").unwrap_or(RETRY_AFTER);
        let every = section.duration("every").unwrap_or(EVERY).max(Duration::from_millis(100));
        let url = section.string("source");
        if url.as_deref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            section.error("source", "must be an address such as http://users:8081/health/read-only");
        }
        let on = section.maybe_flag("enabled").unwrap_or(url.is_none());
        section.finish();
        Self { always: on.then_some(retry_after), source: url.map(|url| Source { url, every, retry_after }) }
    }
}
