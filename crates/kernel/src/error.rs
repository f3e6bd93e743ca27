//! Kinds of failure, free of transport: a service's error names its kind, the platform turns kinds into statuses.

/// What sort of failure an error is, and so what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not understood: wrong syntax, unknown parameter.
    Malformed,
    /// Understood, and not allowed by the rules for input.
    Invalid,
    /// The caller is not known.
    Unauthenticated,
    /// The caller is known and may not.
    Forbidden,
    /// Nothing there that the caller may see.
    NotFound,
    /// The state of things is against it.
    Conflict,
    /// The caller acted on an older version.
    Stale,
    /// The caller must say on which version it acts.
    VersionRequired,
    /// Too many requests.
    TooMany,
    /// For now impossible; the same request may succeed later.
    Unavailable,
    /// Our fault.
    Internal,
}
