//! Signatures by the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body, symmetric.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use rand::RngCore as _;
use sha2::Sha256;

/// Bytes of a secret; the specification asks for 24 to 64.
pub const LENGTH: usize = 32;

/// A secret.
pub type Secret = [u8; LENGTH];

/// A new secret.
#[must_use]
pub fn mint() -> Secret {
    let mut secret = Secret::default();
    rand::rng().fill_bytes(&mut secret);
    secret
}

/// The secret as integrators get it: `whsec_` and base64.
#[must_use]
pub fn show(secret: &Secret) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// The value of `webhook-signature`: one signature for each secret, with blanks between.
#[must_use]
pub fn sign(secrets: &[&[u8]], id: &str, at: Timestamp, body: &str) -> String {
    let content = format!("{id}.{}.{body}", at.as_second());
    let signatures = secrets.iter().filter_map(|secret| {
        // HMAC takes keys of every length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(content.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_comes_out() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signed = sign(&[&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(sign(&[&secret, &[1]], "a", at, "b").split(' ').count(), 2);
        assert!(show(&mint()).starts_with("whsec_") && mint() != mint());
    }
}
