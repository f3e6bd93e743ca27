//! Telephones and browsers that people are told things on: the address of each at the service that reaches it.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kernel::OrganizationId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// Devices of one person at most.
pub const MOST: i64 = 20;
/// Characters of a token of FCM at most; they have some 160 today, and no length is promised.
const LONGEST_TOKEN: usize = 4096;
/// Characters of an endpoint at most.
pub const LONGEST_ENDPOINT: usize = 2000;
/// Bytes of a browser's public key: a point of P-256, uncompressed (RFC 8291, section 3.1).
pub const PUBLIC_KEY: usize = 65;
/// Bytes of the secret that a browser shares with us (RFC 8291, section 3.2).
pub const AUTH: usize = 16;

/// base64url as browsers write it; some pad it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who reaches a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = DeviceProvider)]
pub enum Provider {
    /// Firebase Cloud Messaging.
    Fcm,
    /// Apple Push Notification service.
    Apns,
    /// The push service of a browser.
    WebPush,
}

impl Provider {
    /// Its name, as in attempts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fcm => "fcm",
            Self::Apns => "apns",
            Self::WebPush => "web_push",
        }
    }
}

/// A browser's subscription: where to send, and what to encrypt with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The URL at the browser's push service (RFC 8030).
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: Vec<u8>,
    /// The secret that it shares with us.
    pub auth: Vec<u8>,
}

/// Where a device is reached. Who has it can write to the device: it is kept sealed, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A registration token.
    Fcm(String),
    /// A device token, in hexadecimal digits.
    Apns(String),
    /// A subscription.
    WebPush(Subscription),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({}, [hidden])", self.provider().name())
    }
}

impl Address {
    /// Who reaches it.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Fcm(_) => Provider::Fcm,
            Self::Apns(_) => Provider::Apns,
            Self::WebPush(_) => Provider::WebPush,
        }
    }

    /// What tells the device from others, and may stand in no log.
    #[must_use]
    pub fn secret(&self) -> &str {
        match self {
            Self::Fcm(token) | Self::Apns(token) => token,
            Self::WebPush(subscription) => &subscription.endpoint,
        }
    }

    /// By which it is found when it is registered again: another one in every organization.
    #[must_use]
    pub fn digest(&self, organization: OrganizationId) -> [u8; 32] {
        let hash = Sha256::new().chain_update(organization.0.as_bytes()).chain_update(self.provider().name());
        hash.chain_update([0]).chain_update(self.secret()).finalize().into()
    }
}

/// A registration token of FCM. What its characters are is not promised; that they can stand in JSON and nothing else is
/// in them, Google's own examples show.
///
/// # Errors
/// A sentence for who wrote it.
pub fn fcm(token: &str) -> Result<Address, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '%');
    if !(1..=LONGEST_TOKEN).contains(&token.len()) || !token.chars().all(allowed) {
        return Err("It is no registration token of FCM.".into());
    }
    Ok(Address::Fcm(token.into()))
}

/// A device token of APNs: of variable length, as Apple says, in hexadecimal digits. It becomes a part of a path.
///
/// # Errors
/// A sentence for who wrote it.
pub fn apns(token: &str) -> Result<Address, String> {
    let is_hex = token.chars().all(|c| c.is_ascii_hexdigit());
    if !(32..=200).contains(&token.len()) || !token.len().is_multiple_of(2) || !is_hex {
        return Err("It must be a device token of APNs in hexadecimal digits.".into());
    }
    Ok(Address::Apns(token.to_ascii_lowercase()))
}

/// Bytes as a browser writes them: base64url.
///
/// # Errors
/// A sentence for who wrote it.
pub fn bytes(text: &str, length: usize) -> Result<Vec<u8>, String> {
    let bytes = BASE64.decode(text).ok().filter(|bytes| bytes.len() == length);
    bytes.ok_or_else(|| format!("It must be {length} bytes in base64url."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_token_is_one() {
        assert!(fcm("fGx:APA91b-_x.y").is_ok() && apns(&"0aF1".repeat(16)).is_ok());
        assert_eq!(apns(&"AB".repeat(32)).unwrap().secret(), "ab".repeat(32), "one device, one token");
        for wrong in ["", "a b", "a\nb", "ä", "\"", &"a".repeat(LONGEST_TOKEN + 1)] {
            assert!(fcm(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "00",
            &"0".repeat(65),
            &"xy".repeat(32),
            "../../../../../../../../../../../..",
            &"0".repeat(202),
        ] {
            assert!(apns(wrong).is_err(), "{wrong}");
        }
        assert!(
            bytes("AAAAAAAAAAAAAAAAAAAAAA", AUTH).is_ok() && bytes("AAAAAAAAAAAAAAAAAAAAAA==", AUTH).is_ok()
        );
        assert!(bytes("AAAA", AUTH).is_err() && bytes("+///////////////////w==", AUTH).is_err());
    }

    #[test]
    fn an_address_is_never_shown_and_differs_by_provider_and_organization() {
        let (one, other) = (OrganizationId::mint(), OrganizationId::mint());
        let (fcm, apns) = (Address::Fcm("abcd".into()), Address::Apns("abcd".into()));
        assert!(!format!("{fcm:?}").contains("abcd"));
        assert_ne!(fcm.digest(one), fcm.digest(other));
        assert_ne!(fcm.digest(one), apns.digest(one));
    }
}
