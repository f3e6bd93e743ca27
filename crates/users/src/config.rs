//! Settings of the user service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_USERS_BCRYPT_COST` | 12 | work per password hash, as a power of two: 4 to 15 |
//! | `RESERVAS_USERS_HASHING_AT_ONCE` | 2 | passwords hashed at the same time: 1 to 64 |
//! | `RESERVAS_USERS_HASHING_QUEUE` | 64 | passwords that wait for it, further ones are answered 503: 0 to 10000 |
//! | `RESERVAS_USERS_PASSWORD_MIN_LENGTH` | 15 | characters of a new password at least: 8 to 64 |
//! | `RESERVAS_USERS_ACCESS_TOKEN_MINUTES` | 15 | how long an access token is valid: 1 to 60 |
//! | `RESERVAS_USERS_REFRESH_TOKEN_DAYS` | 30 | how long a session lasts, however often it is refreshed: 1 to 365 |
//! | `RESERVAS_USERS_VERIFICATION` | `demanded` with a mail server, else `optional` | whether a sign-in needs a verified address, where the organization leaves it open |
//! | `RESERVAS_USERS_OPERATOR_TOKEN` | none: nobody | opens `/operator/organizations` on the service's own port: 32 characters or more |
//! | `RESERVAS_USERS_SERVER_…` | | see `platform::config::Server` |

use std::ops::RangeInclusive;

use platform::config::{Secret, Server};
use serde::{Deserialize, Serialize};

/// The installation wants addresses to be verified.
pub const DEMANDED: &str = "demanded";
/// Characters of the operator's token at least: whoever has it may create and disable organizations.
const LEAST_TOKEN: usize = 32;

/// The settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens, and its database.
    pub server: Server,
    /// Work per password hash, as a power of two: 4 to 15.
    pub bcrypt_cost: u32,
    /// Passwords hashed at the same time: 1 to 64.
    pub hashing_at_once: u32,
    /// Passwords that wait to be hashed at most: 0 to 10000.
    pub hashing_queue: u32,
    /// Characters of a new password at least: 8 to 64.
    pub password_min_length: u32,
    /// Minutes that an access token is valid: 1 to 60.
    pub access_token_minutes: u32,
    /// Days that a session lasts: 1 to 365.
    pub refresh_token_days: u32,
    /// `demanded` or `optional`: whether a sign-in needs a verified address; empty: optional.
    pub verification: String,
    /// What the installation's operator shows; at least 32 characters, empty: nobody may.
    pub operator_token: Secret,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: Server::default(),
            bcrypt_cost: 12,
            hashing_at_once: 2,
            hashing_queue: 64,
            password_min_length: 15,
            access_token_minutes: 15,
            refresh_token_days: 30,
            verification: String::new(),
            operator_token: Secret::default(),
        }
    }
}

impl Config {
    /// Refuses values out of their ranges.
    ///
    /// # Errors
    /// A line that names the first setting that is wrong, and its range.
    pub fn check(&self) -> Result<(), String> {
        let ranges: [(&str, u32, RangeInclusive<u32>); 6] = [
            ("bcrypt_cost", self.bcrypt_cost, 4..=15),
            ("hashing_at_once", self.hashing_at_once, 1..=64),
            ("hashing_queue", self.hashing_queue, 0..=10_000),
            ("password_min_length", self.password_min_length, 8..=64),
            ("access_token_minutes", self.access_token_minutes, 1..=60),
            ("refresh_token_days", self.refresh_token_days, 1..=365),
        ];
        if self.operator_token.get().is_some_and(|token| token.len() < LEAST_TOKEN) {
            return Err(format!("users.operator_token must have at least {LEAST_TOKEN} characters"));
        }
        if !["", DEMANDED, "optional"].contains(&self.verification.as_str()) {
            return Err(format!(
                "users.verification is {}: it must be demanded or optional",
                self.verification
            ));
        }
        match ranges.into_iter().find(|(_, value, range)| !range.contains(value)) {
            None => Ok(()),
            Some((name, value, range)) => {
                Err(format!("users.{name} is {value}: it must be from {} to {}", range.start(), range.end()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_its_range_is_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let config = Config { bcrypt_cost: 16, ..Config::default() };
        assert_eq!(config.check().unwrap_err(), "users.bcrypt_cost is 16: it must be from 4 to 15");
    }
}
