//! Settings of the user service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_USERS_BCRYPT_COST` | 12 | work per password hash, as a power of two: 4 to 15 |
//! | `RESERVAS_USERS_HASHING_AT_ONCE` | 2 | passwords hashed at the same time: 1 to 64 |
//! | `RESERVAS_USERS_HASHING_QUEUE` | 64 | passwords that wait for it, further ones are answered 503: 0 to 10000 |
//! | `RESERVAS_USERS_PASSWORD_MIN_LENGTH` | 15 | characters of a new password at least: 8 to 64 |
//! | `RESERVAS_USERS_PASSWORD_MIN_LENGTH_WITH_SECOND_FACTOR` | 8 | the same for accounts with a second factor: 8 to 64 |
//! | `RESERVAS_USERS_PASSWORD_SCORE` | 3 | how hard to guess a new password must be (zxcvbn): 0 to 4; beside a second factor 2 at most |
//! | `RESERVAS_USERS_PASSWORD_RESET_MINUTES` | 60 | how long a link that sets a new password works: 5 to 1440 |
//! | `RESERVAS_USERS_ACCESS_TOKEN_MINUTES` | 15 | how long an access token is valid: 1 to 60 |
//! | `RESERVAS_USERS_SESSION_HOURS` | 24 | how long a session lasts, however often it is refreshed: 1 to 8760 |
//! | `RESERVAS_USERS_SESSION_IDLE_MINUTES` | 720 | after how long without a refresh a session ends: 15 to 10080, no less than the access token's |
//! | `RESERVAS_USERS_REFRESH_TOKEN_DAYS` | 30 | how long a session lasts that is to be remembered: 1 to 365 |
//! | `RESERVAS_USERS_REMEMBERED_IDLE_DAYS` | 14 | after how long without a refresh such a one ends: 1 to 365 |
//! | `RESERVAS_USERS_VERIFICATION` | `demanded` with a mail server, else `optional` | whether a sign-in needs a verified address, where the organization leaves it open |
//! | `RESERVAS_USERS_PUBLIC_URL` | `RESERVAS_NOTIFICATIONS_LINK_URL` | where people reach the installation: passkeys are bound to its host name, and identity providers are told it |
//! | `RESERVAS_USERS_PASSKEY_DOMAIN` | the host of the public URL | the domain that passkeys are bound to: that host, or a domain that it is in; changing it makes all passkeys worthless |
//! | `RESERVAS_USERS_PASSKEY_ORIGINS` | none but the public URL's | further origins that may ask for passkeys, separated by commas: `https://app.example.edu`, `android:apk-key-hash:…` |
//! | `RESERVAS_USERS_OPERATOR_TOKEN` | none: nobody | opens `/operator/organizations` on the service's own port: 32 characters or more |
//! | `RESERVAS_USERS_RESOURCES_URL`, `…_BOOKINGS_URL`, `…_NOTIFICATIONS_URL` | by the port base | where the other services are reached, for archives of personal data |
//! | `RESERVAS_USERS_IDENTITY_PROVIDERS` | `public` | where they may be: `public` addresses by https, `private` ones as well, or for `development` by http too |
//! | `RESERVAS_USERS_IDENTITY_PROVIDER_TIMEOUT_SECONDS` | 3 | how long one call to an identity provider may take: 1 to 8 |
//! | `RESERVAS_USERS_SERVER_…` | | see `platform::config::Server` |

use std::ops::RangeInclusive;

use platform::config::{Secret, Server};
use platform::http::outward::Reach;
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
    /// Characters of a new password at least where there is a second factor: 8 to 64.
    pub password_min_length_with_second_factor: u32,
    /// zxcvbn's score of a new password at least: 0 to 4.
    pub password_score: u8,
    /// Minutes that a link that sets a new password works: 5 to 1440.
    pub password_reset_minutes: u32,
    /// Minutes that an access token is valid: 1 to 60.
    pub access_token_minutes: u32,
    /// Hours that a session lasts: 1 to 8760.
    pub session_hours: u32,
    /// Minutes without a refresh after which a session ends: 15 to 10080.
    pub session_idle_minutes: u32,
    /// Days that a session lasts that is to be remembered: 1 to 365.
    pub refresh_token_days: u32,
    /// Days without a refresh after which such a session ends: 1 to 365.
    pub remembered_idle_days: u32,
    /// `demanded` or `optional`: whether a sign-in needs a verified address; empty: optional.
    pub verification: String,
    /// Where people reach the installation, without a slash at the end; empty: no passkeys, and no single sign-on.
    pub public_url: String,
    /// The domain that passkeys are bound to; empty: the host of the public URL.
    pub passkey_domain: String,
    /// Further origins that may ask for passkeys, separated by commas.
    pub passkey_origins: String,
    /// `public`, `private` or `development`: where identity providers may be.
    pub identity_providers: String,
    /// Seconds that one call to an identity provider may take: 1 to 8.
    pub identity_provider_timeout_seconds: u32,
    /// What the installation's operator shows; at least 32 characters, empty: nobody may.
    pub operator_token: Secret,
    /// Where the resource service is reached; empty: on loopback by the port base.
    pub resources_url: String,
    /// Where the booking service is reached; likewise.
    pub bookings_url: String,
    /// Where the notification service is reached; likewise.
    pub notifications_url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: Server::default(),
            bcrypt_cost: 12,
            hashing_at_once: 2,
            hashing_queue: 64,
            password_min_length: 15,
            password_min_length_with_second_factor: 8,
            password_score: 3,
            password_reset_minutes: 60,
            access_token_minutes: 15,
            session_hours: 24,
            session_idle_minutes: 720,
            refresh_token_days: 30,
            remembered_idle_days: 14,
            verification: String::new(),
            public_url: String::new(),
            passkey_domain: String::new(),
            passkey_origins: String::new(),
            identity_providers: "public".into(),
            identity_provider_timeout_seconds: 3,
            operator_token: Secret::default(),
            resources_url: String::new(),
            bookings_url: String::new(),
            notifications_url: String::new(),
        }
    }
}

impl Config {
    /// Whether the installation wants addresses to be verified, where an organization leaves it open.
    #[must_use]
    pub fn demands_verification(&self) -> bool {
        self.verification == DEMANDED
    }

    /// Where identity providers may be.
    ///
    /// # Errors
    /// When the setting is none of its words.
    pub fn reach(&self) -> Result<Reach, String> {
        let word = &self.identity_providers;
        Reach::parse(word).ok_or_else(|| {
            format!("users.identity_providers is {word}: it must be public, private or development")
        })
    }

    /// Refuses values out of their ranges.
    ///
    /// # Errors
    /// A line that names the first setting that is wrong, and its range.
    pub fn check(&self) -> Result<(), String> {
        let ranges: [(&str, u32, RangeInclusive<u32>); 13] = [
            ("bcrypt_cost", self.bcrypt_cost, 4..=15),
            ("hashing_at_once", self.hashing_at_once, 1..=64),
            ("hashing_queue", self.hashing_queue, 0..=10_000),
            ("password_min_length", self.password_min_length, 8..=64),
            ("password_min_length_with_second_factor", self.password_min_length_with_second_factor, 8..=64),
            ("password_score", self.password_score.into(), 0..=4),
            ("password_reset_minutes", self.password_reset_minutes, 5..=1440),
            ("access_token_minutes", self.access_token_minutes, 1..=60),
            ("session_hours", self.session_hours, 1..=8760),
            ("session_idle_minutes", self.session_idle_minutes, self.access_token_minutes.max(15)..=10_080),
            ("remembered_idle_days", self.remembered_idle_days, 1..=365),
            ("refresh_token_days", self.refresh_token_days, 1..=365),
            ("identity_provider_timeout_seconds", self.identity_provider_timeout_seconds, 1..=8),
        ];
        if self.operator_token.get().is_some_and(|token| token.len() < LEAST_TOKEN) {
            return Err(format!("users.operator_token must have at least {LEAST_TOKEN} characters"));
        }
        self.reach()?;
        if self.public_url.ends_with('/') {
            return Err("users.public_url must not end with a slash".to_owned());
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
