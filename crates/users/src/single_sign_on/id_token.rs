//! ID tokens: the checks of OpenID Connect Core, section 3.1.3.7, that make one a proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

use super::LEEWAY;
use super::person::Claims;

/// Algorithms whose signatures count: with a public key alone. Not `none`, and not HMAC, whose key the client shares.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Bytes of an RSA modulus at least: 2048 bits (RFC 7518, section 3.3).
const LEAST_RSA: usize = 256;
/// Keys of a provider that are looked at.
const MOST_KEYS: usize = 100;
/// Characters of a subject (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// A public key of a provider.
#[derive(Debug, Clone)]
pub struct Key {
    id: Option<String>,
    family: AlgorithmFamily,
    key: DecodingKey,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// None of the keys made its signature: they may have been changed since they were read.
    #[error("its signature is by none of the provider's keys")]
    Key,
    /// It is not what it has to be.
    #[error("{0}")]
    Wrong(&'static str),
}

/// What a token has to be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// For whom it is.
    pub client_id: &'a str,
    /// What was sent along when it was asked for.
    pub nonce: &'a str,
    /// What came with it.
    pub access_token: Option<&'a str>,
    /// When it is looked at.
    pub now: Timestamp,
}

/// What a token that proves something says.
#[derive(Debug, Clone)]
pub struct Proved {
    /// Who it is about.
    pub subject: String,
    /// When the person proved to the provider who they are, in seconds since 1970, if it says so.
    pub auth_time: Option<i64>,
    /// Everything that it says.
    pub claims: Claims,
}

impl Proved {
    /// Whether two factors were shown: `mfa` in `amr` (RFC 8176, section 2), or an `acr` that stands for it.
    #[must_use]
    pub fn by_two_factors(&self, acr: &std::collections::BTreeSet<String>) -> bool {
        let methods = self.claims.get("amr").and_then(Value::as_array);
        let by_method = methods.is_some_and(|methods| methods.iter().any(|method| method == "mfa"));
        by_method || self.claims.get("acr").and_then(Value::as_str).is_some_and(|shown| acr.contains(shown))
    }
}

/// The keys of a key set (RFC 7517, section 5) that can sign ID tokens; those of other kinds are left out.
#[must_use]
pub fn keys(set: &Map<String, Value>) -> Vec<Key> {
    let listed = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    listed.take(MOST_KEYS).filter_map(key).collect()
}

fn key(value: &Value) -> Option<Key> {
    // An algorithm that nobody here knows must not make the others unreadable.
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let is_for_signing =
        jwk.common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature);
    let family = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            let long = URL_SAFE_NO_PAD.decode(&key.n).is_ok_and(|modulus| modulus.len() >= LEAST_RSA);
            long.then_some(AlgorithmFamily::Rsa)?
        }
        AlgorithmParameters::EllipticCurve(_) => AlgorithmFamily::Ec,
        AlgorithmParameters::OctetKeyPair(_) => AlgorithmFamily::Ed,
        // A secret has no place among public keys.
        _ => return None,
    };
    if !is_for_signing {
        return None;
    }
    Some(Key { id: jwk.common.key_id.clone(), family, key: DecodingKey::from_jwk(&jwk).ok()? })
}

/// Checks a token.
///
/// # Errors
/// Why it proves nothing.
pub fn verify(token: &str, keys: &[Key], expected: &Expected<'_>) -> Result<Proved, Unproven> {
    let header = decode_header(token).map_err(|_| Unproven::Wrong("it is no signed token"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Unproven::Wrong("it is not signed with a public key"));
    }
    // What must be understood is not (RFC 7515, section 4.1.11).
    if header.crit.is_some() {
        return Err(Unproven::Wrong("it has critical extensions"));
    }
    let family = header.alg.family();
    let named = |key: &&Key| header.kid.as_ref().is_none_or(|kid| key.id.as_ref().is_none_or(|id| id == kid));
    let mut candidates = keys.iter().filter(|key| key.family == family).filter(named);
    let claims = candidates.find_map(|key| signed(token, header.alg, key)).ok_or(Unproven::Key)?;
    check(&claims, header.alg, expected).map_err(Unproven::Wrong)?;
    let subject = text(&claims, "sub").unwrap_or_default().to_owned();
    let auth_time = seconds(&claims, "auth_time");
    Ok(Proved { subject, auth_time, claims })
}

/// The claims of a token, if the key made its signature. Nothing else of it is looked at here.
fn signed(token: &str, algorithm: Algorithm, key: &Key) -> Option<Claims> {
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    // Compared below, with the clock that was handed in.
    rules.validate_exp = false;
    rules.validate_aud = false;
    decode::<Claims>(token, &key.key, &rules).ok().map(|decoded| decoded.claims)
}

fn check(claims: &Claims, algorithm: Algorithm, expected: &Expected<'_>) -> Result<(), &'static str> {
    if text(claims, "iss") != Some(expected.issuer) {
        return Err("it is another issuer's");
    }
    let subject = text(claims, "sub").ok_or("it names nobody")?;
    if !(1..=LONGEST_SUBJECT).contains(&subject.len()) {
        return Err("it names nobody");
    }
    check_audience(claims, expected.client_id)?;
    let (now, leeway) = (expected.now.as_second(), LEEWAY.as_secs());
    if seconds(claims, "exp").ok_or("it never expires")? <= now - leeway {
        return Err("it has expired");
    }
    if seconds(claims, "iat").ok_or("it does not say when it was made")? > now + leeway {
        return Err("it is from the future");
    }
    if seconds(claims, "nbf").is_some_and(|from| from > now + leeway) {
        return Err("it is not valid yet");
    }
    // Missing is wrong as well: one was sent.
    let nonce = text(claims, "nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err("it was made for another sign-in");
    }
    match (text(claims, "at_hash"), expected.access_token) {
        (Some(hash), Some(token)) if hash != token_hash(algorithm, token) => {
            Err("it came with another access token")
        }
        _ => Ok(()),
    }
}

/// `aud` has us; where it has others as well, `azp` must be us; and where there is an `azp`, it is us.
fn check_audience(claims: &Claims, client_id: &str) -> Result<(), &'static str> {
    let (is_ours, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == client_id), all.len() > 1),
        _ => (false, false),
    };
    match (is_ours, claims.get("azp")) {
        (false, _) => Err("it is for somebody else"),
        (true, Some(party)) if party != client_id => Err("it was made for another client"),
        (true, None) if others => Err("it is for several, and does not say whose it is"),
        (true, _) => Ok(()),
    }
}

/// The left half of an access token's hash, with the hash of the algorithm (OpenID Connect Core, section 3.1.3.6; of EdDSA
/// with Ed25519: SHA-512).
fn token_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => Sha384::digest(token).to_vec(),
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => Sha512::digest(token).to_vec(),
        _ => Sha256::digest(token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A time; some providers write fractions of a second.
fn seconds(claims: &Claims, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    struct Issuer(SigningKey);

    impl Issuer {
        fn new() -> Self {
            Self(SigningKey::from_bytes(&rand::random()))
        }

        fn keys(&self) -> Vec<Key> {
            let x = URL_SAFE_NO_PAD.encode(self.0.verifying_key().as_bytes());
            let set = json!({"keys": [
                {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, 7,
                {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
                {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "alg": "EdDSA", "use": "sig"}]});
            keys(set.as_object().unwrap())
        }

        fn token(&self, claims: &Value) -> String {
            let header = Header { kid: Some("1".into()), ..Header::new(Algorithm::EdDSA) };
            let der = self.0.to_pkcs8_der().unwrap();
            encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
        }
    }

    fn fine() -> Value {
        json!({"iss": "https://a.example", "sub": "7", "aud": "us", "exp": NOW + 60, "iat": NOW, "nonce": "n",
               "at_hash": token_hash(Algorithm::EdDSA, "t"), "auth_time": NOW - 5})
    }

    fn expected() -> Expected<'static> {
        let now = Timestamp::from_second(NOW).unwrap();
        Expected { issuer: "https://a.example", client_id: "us", nonce: "n", access_token: Some("t"), now }
    }

    fn with(changes: Value) -> Value {
        let mut claims = fine();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    #[test]
    fn a_token_that_is_as_it_has_to_be_proves_who_somebody_is() {
        let issuer = Issuer::new();
        assert_eq!(issuer.keys().len(), 1, "what cannot sign is no key");
        let verified = |claims: Value| verify(&issuer.token(&claims), &issuer.keys(), &expected());
        let proved = verified(fine()).unwrap();
        assert_eq!((proved.subject.as_str(), proved.auth_time), ("7", Some(NOW - 5)));
        assert!(verified(with(json!({"aud": ["us"], "azp": "us", "exp": NOW - 59}))).is_ok());
        assert!(verified(with(json!({"aud": ["us", "them"], "azp": "us", "auth_time": 1.5}))).is_ok());
    }

    #[test]
    fn what_differs_in_anything_proves_nothing() {
        let issuer = Issuer::new();
        for wrong in [
            json!({"iss": "https://a.example/"}),
            json!({"iss": null}),
            json!({"sub": ""}),
            json!({"sub": "x".repeat(256)}),
            json!({"sub": 7}),
            json!({"aud": "them"}),
            json!({"aud": []}),
            json!({"aud": ["us", "them"]}),
            json!({"azp": "them"}),
            json!({"aud": ["us", "them"], "azp": "them"}),
            json!({"exp": NOW - 60}),
            json!({"exp": null}),
            json!({"iat": NOW + 61}),
            json!({"iat": null}),
            json!({"nbf": NOW + 61}),
            json!({"nonce": "m"}),
            json!({"nonce": null}),
            json!({"at_hash": token_hash(Algorithm::EdDSA, "other")}),
        ] {
            let outcome = verify(&issuer.token(&with(wrong.clone())), &issuer.keys(), &expected());
            assert!(matches!(outcome, Err(Unproven::Wrong(_))), "{wrong}: {outcome:?}");
        }
    }

    #[test]
    fn no_other_key_and_no_other_algorithm_counts() {
        let (issuer, stranger) = (Issuer::new(), Issuer::new());
        let outcome = verify(&stranger.token(&fine()), &issuer.keys(), &expected());
        assert_eq!(outcome.unwrap_err(), Unproven::Key);
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = format!("{}.{}.", part(json!({"alg": "none"})), part(fine()));
        let public = EncodingKey::from_secret(issuer.0.verifying_key().as_bytes());
        let hmac = encode(&Header::new(Algorithm::HS256), &fine(), &public).unwrap();
        let unsigned = issuer.token(&fine()).rsplit_once('.').unwrap().0.to_owned() + ".";
        let der = issuer.0.to_pkcs8_der().unwrap();
        let critical = Header { crit: Some(vec!["b64".into()]), ..Header::new(Algorithm::EdDSA) };
        let critical = encode(&critical, &fine(), &EncodingKey::from_ed_der(der.as_bytes())).unwrap();
        for token in [none.as_str(), &hmac, &unsigned, &critical, "", "a.b.c", "a.b.c.d.e"] {
            assert!(verify(token, &issuer.keys(), &expected()).is_err(), "{token}");
        }
    }

    #[test]
    fn two_factors_are_told_by_amr_or_an_acr_that_stands_for_them() {
        let issuer = Issuer::new();
        let acr = std::collections::BTreeSet::from(["gold".to_owned()]);
        for (claims, two) in [
            (json!({}), false),
            (json!({"amr": ["pwd", "otp"]}), false),
            (json!({"amr": ["pwd", "mfa"]}), true),
            (json!({"acr": "silver", "amr": "mfa"}), false),
            (json!({"acr": "gold"}), true),
        ] {
            let proved = verify(&issuer.token(&with(claims.clone())), &issuer.keys(), &expected()).unwrap();
            assert_eq!(proved.by_two_factors(&acr), two, "{claims}");
        }
    }
}
