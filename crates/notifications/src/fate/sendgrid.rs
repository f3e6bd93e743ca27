//! SendGrid's Event Webhook: batches of events, signed by ECDSA ("Event Webhook Security Features").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kernel::Email;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

use super::{Fate, News, is_timely, words};

/// What stands before the point in a public key of P-256 (RFC 5480, DER).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The public key of an account's webhook.
#[derive(Debug, Clone)]
pub struct EventKey(Vec<u8>);

impl EventKey {
    /// The key as SendGrid shows it: base64.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let der = STANDARD.decode(text.trim()).ok();
        let point = der.as_deref().and_then(|der| der.strip_prefix(&HEAD)).filter(|point| point.len() == 65);
        let point =
            point.ok_or("sendgrid_event_key must be the verification key of SendGrid's Event Webhook")?;
        Ok(Self(point.to_vec()))
    }

    /// Whether a body came from SendGrid, and not long ago: `timestamp` and `signature` are its headers.
    #[must_use]
    pub fn is_real(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let signed = [timestamp.as_bytes(), body].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0);
        let at = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        key.verify(&signed, &signature).is_ok() && at.is_some_and(|at| is_timely(at, now))
    }
}

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    organization_id: String,
    #[serde(default)]
    delivery_id: String,
}

/// What a batch tells of messages of ours; other events are left out.
///
/// # Errors
/// When it is no batch.
pub fn read(body: &[u8]) -> Result<Vec<News>, serde_json::Error> {
    let events: Vec<Event> = serde_json::from_slice(body)?;
    Ok(events.iter().filter_map(news).collect())
}

fn news(event: &Event) -> Option<News> {
    let fate = match (event.event.as_str(), event.kind.as_str()) {
        ("delivered", _) => Fate::Delivered,
        ("open", _) => Fate::Opened,
        // Refused for now, or by us: SendGrid keeps a list of its own.
        ("bounce", "blocked") | ("dropped", _) => Fate::Undelivered,
        ("bounce", _) => Fate::Bounced,
        ("spamreport", _) => Fate::Complained,
        _ => return None,
    };
    let email: Option<Email> = event.email.parse().ok();
    Some(News {
        organization: event.organization_id.parse().ok()?,
        delivery: event.delivery_id.parse().ok()?,
        fate,
        words: words(&event.reason, email.as_ref()),
        email,
    })
}

#[cfg(test)]
mod tests {
    use kernel::{DeliveryId, OrganizationId};
    use serde_json::json;

    use super::*;

    #[test]
    fn events_of_ours_are_read_and_others_left_out() {
        let (organization, delivery) = (OrganizationId::mint(), DeliveryId::mint());
        let ours = |event: &str, kind: &str| {
            json!({ "event": event, "type": kind, "email": "Ada@example.com", "reason": "550 <ada@example.com>  unknown",
                    "organization_id": organization, "delivery_id": delivery, "sg_event_id": "x", "timestamp": 1 })
        };
        let body = json!([
            ours("delivered", ""), ours("open", ""), ours("bounce", "blocked"), ours("bounce", "bounce"),
            ours("spamreport", ""), ours("deferred", ""), { "event": "delivered", "email": "x@example.com" },
        ]);
        let told = read(body.to_string().as_bytes()).unwrap();
        let fates: Vec<_> = told.iter().map(|news| news.fate).collect();
        use Fate::{Bounced, Complained, Delivered, Opened, Undelivered};
        assert_eq!(fates, [Delivered, Opened, Undelivered, Bounced, Complained]);
        assert_eq!(told[3].words.as_deref(), Some("550 <[address]> unknown"));
        assert!(read(b"{}").is_err());
    }

    #[test]
    fn a_key_is_a_point_of_its_curve() {
        for wrong in ["", "geheim", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"] {
            assert!(EventKey::parse(wrong).is_err(), "{wrong}");
        }
    }
}
