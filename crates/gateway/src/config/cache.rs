//! The namespace `qos/http-cache`.

use super::section::Section;

/// Bytes that a cache may hold when the file says nothing.
const DEFAULT_SIZE: u64 = 64 * 1024 * 1024;
/// Answers that a cache may hold when the file says nothing.
const DEFAULT_ITEMS: u64 = 10_000;

/// How much of a backend's answers is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpCache {
    /// Whether all backends that say so keep their answers together.
    pub shared: bool,
    /// Answers at most, one or more.
    pub max_items: u64,
    /// Bytes at most, one or more.
    pub max_size: u64,
}

impl HttpCache {
    /// Reads the namespace; zero or absent is the default, as a cache without bounds is none.
    pub fn read(section: Section<'_>) -> Self {
        let count =
            |key: &str, standard: u64| section.integer(key).filter(|count| *count > 0).unwrap_or(standard);
        let read = Self {
            shared: section.flag("shared"),
            max_items: count("max_items", DEFAULT_ITEMS),
            max_size: count("max_size", DEFAULT_SIZE),
        };
        section.finish();
        read
    }

    /// The larger of both in each bound, for backends that share.
    pub fn widened(self, other: Self) -> Self {
        Self {
            shared: self.shared,
            max_items: self.max_items.max(other.max_items),
            max_size: self.max_size.max(other.max_size),
        }
    }
}
