//! Settings of the resource service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_RESOURCES_DEFAULT_TIME_ZONE` | `UTC` | the IANA zone of resources that name none |
//! | `RESERVAS_RESOURCES_USERS_URL` | by the port base | where the user service is reached: who is in which group |
//! | `RESERVAS_RESOURCES_SERVER_…` | | see `platform::config::Server` |

use platform::config::Server;
use serde::{Deserialize, Serialize};

/// The settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens, and its database.
    pub server: Server,
    /// The zone (IANA) of resources that name none.
    pub default_time_zone: String,
    /// Where the user service is reached; empty: on loopback by the port base.
    pub users_url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { server: Server::default(), default_time_zone: "UTC".into(), users_url: String::new() }
    }
}
