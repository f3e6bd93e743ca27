//! The bounds of an endpoint that is a WebSocket.

use std::time::Duration;

use super::section::Section;

/// Bounds of WebSockets (`_reservas/websocket`).
#[derive(Debug, Clone, Copy)]
pub struct Websocket {
    /// How long one may be silent in both directions, 2 min when absent.
    pub idle_timeout: Duration,
    /// How many there may be at once, 1 to 100,000; 1,000 when absent.
    pub max_connections: usize,
}

impl Websocket {
    /// Reads the namespace.
    pub fn read(section: Section<'_>) -> Self {
        let idle_timeout = section.duration("idle_timeout").unwrap_or(Duration::from_secs(120));
        if idle_timeout.is_zero() {
            section.error("idle_timeout", "must be more than 0s: a silent WebSocket must end some time");
        }
        let max_connections = match section.integer("max_connections").map(usize::try_from) {
            None => 1000,
            Some(Ok(count @ 1..=100_000)) => count,
            Some(_) => {
                section.error("max_connections", "must be 1 to 100000");
                1
            }
        };
        section.finish();
        Self { idle_timeout, max_connections }
    }
}
