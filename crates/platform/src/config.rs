//! Layered configuration: defaults, then a file, then the environment, then flags. An unknown key is an error.

mod layers;

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use layers::{ConfigError, Layers};

/// A value that never shows: not in logs, not in `reservas config`. Empty means not set.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value, unless it is empty.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        Some(self.expose()).filter(|text| !text.is_empty())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.get().is_some() { "[hidden]" } else { "" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Where a service listens, where others reach it, and its database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on; empty: by the port base, on loopback in `all`, everywhere on its own.
    pub listen: String,
    /// Where the other services reach it; empty: on loopback by the port base.
    pub url: String,
    /// A database URL of its own, with the service's own login; empty: the common one.
    pub database_url: Secret,
    /// Database connections at most: 2 to 200.
    pub max_connections: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: String::new(),
            url: String::new(),
            database_url: Secret::default(),
            max_connections: 20,
        }
    }
}
