//! Settings of the booking service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_BOOKINGS_RESOURCES_URL` | by the port base | where the resource service is reached |
//! | `RESERVAS_BOOKINGS_SERVER_…` | | see `platform::config::Server` |

use platform::config::Server;
use serde::{Deserialize, Serialize};

/// The settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens, and its database.
    pub server: Server,
    /// Where the resource service is reached; empty: on loopback by the port base.
    pub resources_url: String,
}
