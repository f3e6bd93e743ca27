//! The namespace `_reservas/compression`: which answers are compressed for clients.

use super::section::Section;

/// Answers that are smaller gain nothing: they fit into one packet either way. In bytes.
const DEFAULT_MIN_SIZE: u64 = 1024;

/// When answers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// Answers that are known to be smaller than this many bytes are not.
    pub min_size: u64,
}

impl Compression {
    /// Reads the namespace; `None` with `"enabled": false`.
    pub fn read(section: Section<'_>) -> Option<Self> {
        let on = section.maybe_flag("enabled").unwrap_or(true);
        let min_size = section.integer("min_size").unwrap_or(DEFAULT_MIN_SIZE);
        section.finish();
        on.then_some(Self { min_size })
    }
}
