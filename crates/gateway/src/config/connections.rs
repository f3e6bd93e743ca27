//! How many connections there may be, and how fast the bodies on them must come.

use std::net::IpAddr;
use std::time::Duration;

use super::root::network;
use super::section::Section;

/// Bounds of connections (`_reservas/connections`).
#[derive(Debug, Clone)]
pub struct Connections {
    /// At once, 1 to 1,000,000; beyond it clients wait in the listener's queue. Read when the gateway starts.
    pub max: usize,
    /// From one address, or one /64 of IPv6; more are closed. Read when the gateway starts.
    pub max_per_client: usize,
    /// Requests that one address, or one /64 of IPv6, may have backends work on at once; more are refused.
    pub max_calls_per_client: usize,
    /// Networks that are not counted per address.
    pub exempt: Vec<(IpAddr, u8)>,
    /// How long a client may keep the gateway waiting for its request's body; zero is for ever.
    pub body_grace: Duration,
    /// Bytes that earn a client another second of it.
    pub body_min_rate: u64,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max: 12_000,
            max_per_client: 512,
            max_calls_per_client: 200,
            exempt: vec![(IpAddr::from([127, 0, 0, 0]), 8), (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1u16]), 128)],
            body_grace: Duration::from_secs(20),
            body_min_rate: 500,
        }
    }
}

impl Connections {
    /// Reads the namespace.
    pub fn read(section: Section<'_>) -> Self {
        let standard = Self::default();
        let count = |key: &str, standard: usize| match section.integer(key).map(usize::try_from) {
            None => standard,
            Some(Ok(count @ 1..=1_000_000)) => count,
            Some(_) => {
                section.error(key, "must be 1 to 1000000");
                standard
            }
        };
        let exempt = section
            .strings("exempt")
            .map(|all| all.iter().filter_map(|text| network(&section, "exempt", text)).collect());
        let read = Self {
            max: count("max", standard.max),
            max_per_client: count("max_per_client", standard.max_per_client),
            max_calls_per_client: count("max_calls_per_client", standard.max_calls_per_client),
            exempt: exempt.unwrap_or(standard.exempt),
            body_grace: section.duration("body_grace").unwrap_or(standard.body_grace),
            body_min_rate: section.integer("body_min_rate").unwrap_or(standard.body_min_rate),
        };
        if read.body_min_rate == 0 {
            section.error("body_min_rate", "must be at least 1; `\"body_grace\": \"0s\"` turns the rule off");
        }
        section.finish();
        read
    }
}
