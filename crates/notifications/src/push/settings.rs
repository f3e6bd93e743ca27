//! Settings of pushes.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_NOTIFICATIONS_PUSH_FCM_ACCOUNT_FILE` | none | the key of a service account of Google's (JSON) that may send by FCM |
//! | `RESERVAS_NOTIFICATIONS_PUSH_FCM_URL` | `https://fcm.googleapis.com` | where FCM is reached |
//! | `RESERVAS_NOTIFICATIONS_PUSH_APNS_KEY_FILE` | none | Apple's key for provider tokens (`AuthKey_….p8`) |
//! | `RESERVAS_NOTIFICATIONS_PUSH_APNS_KEY_ID` | | its id, ten characters |
//! | `RESERVAS_NOTIFICATIONS_PUSH_APNS_TEAM_ID` | | the id of the team at Apple's that it belongs to |
//! | `RESERVAS_NOTIFICATIONS_PUSH_APNS_TOPIC` | | the app: its bundle id |
//! | `RESERVAS_NOTIFICATIONS_PUSH_APNS_URL` | `https://api.push.apple.com` | where APNs is reached; `https://api.sandbox.push.apple.com` for apps under development |
//! | `RESERVAS_NOTIFICATIONS_PUSH_WEB_PUSH_KEY` | `web-push-key` in the data folder, made by `all` | the key pair for browsers (VAPID), as `reservas admin keys generate-web-push` prints it |
//! | `RESERVAS_NOTIFICATIONS_PUSH_WEB_PUSH_SUBJECT` | `mailto:` and the address that mails come from | whom push services of browsers write to: `mailto:…` or `https://…` |
//! | `RESERVAS_NOTIFICATIONS_PUSH_TIMEOUT_SECONDS` | 15 | how long a request to a push service may take: 1 to 30 |
//! | `RESERVAS_NOTIFICATIONS_PUSH_RATE` | 0: no limit | pushes a second that one replica gives to each provider at most: 0 to 10,000 |

use std::time::Duration;

use platform::config::Secret;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The settings of pushes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The file with the key of a service account of Google's; empty: no pushes by FCM.
    pub fcm_account_file: String,
    /// Where FCM is reached.
    pub fcm_url: String,
    /// The file with Apple's key for provider tokens; empty: no pushes by APNs.
    pub apns_key_file: String,
    /// The id of that key.
    pub apns_key_id: String,
    /// The id of the team that it belongs to.
    pub apns_team_id: String,
    /// The app's bundle id.
    pub apns_topic: String,
    /// Where APNs is reached.
    pub apns_url: String,
    /// The key pair for browsers; empty: no pushes to browsers.
    pub web_push_key: Secret,
    /// Whom push services of browsers write to; empty: the address that mails come from.
    pub web_push_subject: String,
    /// How long a request to a push service may take, from the resolution of its name to the last byte that is read: 1 to
    /// 30 seconds.
    pub timeout_seconds: u32,
    /// Pushes a second that one replica gives to each provider at most: 0 (no limit) to 10,000.
    pub rate: u32,
}

impl Settings {
    /// How long a request may take.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fcm_account_file: String::new(),
            fcm_url: "https://fcm.googleapis.com".into(),
            apns_key_file: String::new(),
            apns_key_id: String::new(),
            apns_team_id: String::new(),
            apns_topic: String::new(),
            apns_url: "https://api.push.apple.com".into(),
            web_push_key: Secret::default(),
            web_push_subject: String::new(),
            timeout_seconds: 15,
            rate: 0,
        }
    }
}

/// The text of a file that a setting names.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn file(setting: &str, path: &str) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path);
    text.map(Secret::from).map_err(|error| format!("{setting}: {path} cannot be read: {error}"))
}

/// A URL without a slash at its end: encrypted, or on this machine.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn base(setting: &str, text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("{setting} is no URL: {error}"))?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    match url.scheme() {
        "https" => Ok(text.trim_end_matches('/').into()),
        "http" if is_here => Ok(text.trim_end_matches('/').into()),
        _ => Err(format!("{setting} must begin with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encrypted_stays_on_this_machine() {
        assert_eq!(base("x", "https://example.com/").unwrap(), "https://example.com");
        assert!(base("x", "http://127.0.0.1:99").is_ok() && base("x", "http://[::1]:99").is_ok());
        for wrong in ["http://example.com", "http://10.0.0.1", "ftp://127.0.0.1", "here", ""] {
            assert!(base("x", wrong).is_err(), "{wrong}");
        }
    }
}
