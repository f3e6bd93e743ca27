//! The namespaces `_reservas/health`, `_reservas/concurrency` and `_reservas/retry`: what holds for a backend's hosts.

use std::time::Duration;

use super::section::Section;

/// When a host is left out (`_reservas/health`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How a host is asked whether it is well; absent, it is not asked.
    pub check: Option<Check>,
    /// So many failures in a row eject a host; zero is never.
    pub max_failures: u64,
    /// How long the first ejection lasts; each further one lasts twice as long.
    pub eject_for: Duration,
    /// The longest ejection.
    pub max_ejection: Duration,
}

/// An active check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The path that answers 2xx when the host is well.
    pub path: String,
    /// From one check to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many good answers in a row bring a host back.
    pub healthy: u64,
    /// So many bad answers in a row take it out.
    pub unhealthy: u64,
}

/// Calls in flight to one host (`_reservas/concurrency`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Calls at once, one or more.
    pub max: usize,
    /// Calls that wait for their turn; one more is answered 503.
    pub queue: usize,
}

impl Default for Concurrency {
    /// Far below the connections that the gateway takes, so that one hanging host cannot use them all up.
    fn default() -> Self {
        Self { max: 1024, queue: 1024 }
    }
}

/// What of this a backend, or the root for all backends, says.
#[derive(Debug, Clone, Default)]
pub struct HostRules {
    /// When its hosts are left out.
    pub health: Option<Health>,
    /// Calls in flight to each.
    pub concurrency: Option<Concurrency>,
    /// Whether a call that found no host is repeated (`_reservas/retry`).
    pub retry: Option<bool>,
}

impl HostRules {
    /// Reads the three namespaces of an `extra_config`.
    pub fn read(extra: &Section<'_>) -> Self {
        let retry = extra.section("_reservas/retry").map(|retry| {
            let on = retry.maybe_flag("enabled").unwrap_or(true);
            retry.finish();
            on
        });
        Self {
            health: extra.section("_reservas/health").map(health),
            concurrency: extra.section("_reservas/concurrency").map(concurrency),
            retry,
        }
    }
}

fn concurrency(section: Section<'_>) -> Concurrency {
    let standard = Concurrency::default();
    let count = |key: &str, least: u64, standard: usize| {
        let read = section.integer(key);
        // What a semaphore can hold (tokio: `usize::MAX >> 3`) is far beyond what a host can.
        let fits = read.filter(|count| (least..=1_000_000).contains(count));
        if read.is_some() && fits.is_none() {
            section.error(key, format!("must be {least} to 1000000"));
        }
        fits.and_then(|count| count.try_into().ok()).unwrap_or(standard)
    };
    let read = Concurrency { max: count("max", 1, standard.max), queue: count("queue", 0, standard.queue) };
    section.finish();
    read
}

fn health(section: Section<'_>) -> Health {
    let on = section.maybe_flag("enabled").unwrap_or(true);
    let span = |key: &str, standard: u64| {
        let read = section.duration(key);
        if read.is_some_and(|span| span.is_zero()) {
            section.error(key, "must be longer than zero");
        }
        read.filter(|span| !span.is_zero()).unwrap_or(Duration::from_secs(standard))
    };
    let times = |key: &str, standard: u64| {
        let read = section.integer(key).unwrap_or(standard);
        if read == 0 {
            section.error(key, "must be one or more");
        }
        read.max(1)
    };
    let path = section.string("path").filter(|path| !path.is_empty());
    if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        section.error("path", "must begin with `/`");
    }
    let (interval, timeout) = (span("interval", 5), span("timeout", 1));
    let (healthy, unhealthy) = (times("healthy_threshold", 2), times("unhealthy_threshold", 3));
    let (eject_for, max_ejection) = (span("eject_for", 5), span("max_ejection", 60));
    let max_failures = section.integer("max_failures").unwrap_or(5);
    section.finish();
    Health {
        check: path.filter(|_| on).map(|path| Check { path, interval, timeout, healthy, unhealthy }),
        max_failures: if on { max_failures } else { 0 },
        eject_for,
        max_ejection: max_ejection.max(eject_for),
    }
}
