//! Our key pair for browsers, and the tokens by which their push services know us (VAPID, RFC 8292).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use platform::config::Secret;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::Serialize;

/// How long a token counts; a day at most is allowed (RFC 8292, section 2).
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// The pair.
pub struct Vapid {
    key: EncodingKey,
    public: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Vapid {
    /// The pair of a text as [`generate`] makes it: PKCS#8 in base64, in one line.
    ///
    /// # Errors
    /// A sentence for the operator, which does not show it.
    pub fn parse(text: &Secret) -> Result<Self, String> {
        let wrong =
            || "push.web_push_key is no key: `reservas admin keys generate-web-push` makes one".to_owned();
        let pkcs8 = STANDARD.decode(text.expose().trim()).map_err(|_| wrong())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new());
        let public = URL_SAFE_NO_PAD.encode(pair.map_err(|_| wrong())?.public_key());
        Ok(Self { key: EncodingKey::from_ec_der(&pkcs8), public })
    }

    /// The public key (base64url), with which browsers subscribe.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// What stands in the header `Authorization` of a request to a push service (RFC 8292, section 3).
    ///
    /// # Errors
    /// When nothing can be signed.
    pub fn authorization(&self, origin: &str, subject: &str, now: Timestamp) -> Result<String, String> {
        let claims = Claims { aud: origin, exp: (now + LIFE).as_second(), sub: subject };
        let token = encode(&Header::new(Algorithm::ES256), &claims, &self.key);
        let token = token.map_err(|error| format!("no token for push services: {error}"))?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

/// A new pair.
///
/// # Errors
/// When the system has no random numbers.
pub fn generate() -> Result<Secret, String> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    made.map(|pkcs8| Secret::from(STANDARD.encode(pkcs8))).map_err(|_| "no random numbers".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_it_was_made_and_nothing_else_is_one() {
        let made = generate().unwrap();
        let vapid = Vapid::parse(&made).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(vapid.public()).unwrap().len(), crate::device::PUBLIC_KEY);
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        let header = vapid.authorization("https://push.example.com", "mailto:a@example.com", now).unwrap();
        assert!(header.starts_with("vapid t=ey") && header.ends_with(vapid.public()), "{header}");
        for wrong in ["", "geheim", "Z2VoZWlt"] {
            let refusal = Vapid::parse(&Secret::from(wrong.to_owned())).err().unwrap();
            assert!(!refusal.contains("geheim"), "{refusal}");
        }
    }
}
