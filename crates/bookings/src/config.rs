//! Settings of the booking service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_BOOKINGS_RESOURCES_URL` | by the port base | where the resource service is reached |
//! | `RESERVAS_BOOKINGS_USERS_URL` | by the port base | where the user service is reached |
//! | `RESERVAS_BOOKINGS_REMINDER_MINUTES` | `1440,30` | how many minutes before its start an owner is reminded of a booking |
//! | `RESERVAS_BOOKINGS_SERVER_…` | | see `platform::config::Server` |

use platform::config::Server;
use serde::{Deserialize, Serialize};

/// The settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens, and its database.
    pub server: Server,
    /// Where the resource service is reached; empty: on loopback by the port base.
    pub resources_url: String,
    /// Where the user service is reached; empty: on loopback by the port base.
    pub users_url: String,
    /// How many minutes before its start an owner is reminded of a booking, each of them once.
    pub reminder_minutes: Vec<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: Server::default(),
            resources_url: String::new(),
            users_url: String::new(),
            reminder_minutes: vec![24 * 60, 30],
        }
    }
}
