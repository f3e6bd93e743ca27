//! The issuer's public keys (JWKS, RFC 7517), cached, fetched again when a token names an unknown one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::http::Problem;

/// After a fetch, unknown key ids are answered from memory for this long: a flood of forged ones asks the issuer no more.
const REST: Duration = Duration::from_secs(5);
/// How long the issuer may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// A set older than this is fetched again with the next token; until that succeeds, the old one goes on.
const FRESH: Duration = Duration::from_secs(300);

/// An Ed25519 public key (RFC 8037, section 2).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The public key, base64url.
    pub x: String,
    /// The key's id.
    pub kid: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
}

/// A key set.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct KeySet {
    /// The keys in use; the signing one first.
    pub keys: Vec<Jwk>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<HashMap<String, DecodingKey>>,
    fetched: Option<Instant>,
}

/// The keys at an address.
pub struct Keys {
    url: String,
    client: reqwest::Client,
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

impl Keys {
    /// The keys that `url` serves; fetched when first needed.
    #[must_use]
    pub fn at(url: String, client: reqwest::Client) -> Self {
        Self { url, client, known: RwLock::default(), fetching: Mutex::new(()) }
    }

    /// The key with an id.
    ///
    /// # Errors
    /// 503 when no key set could be had yet.
    pub async fn find(&self, kid: &str) -> Result<Option<DecodingKey>, Problem> {
        let known = self.known();
        let age = known.fetched.map(|fetched| fetched.elapsed());
        let key = known.keys.get(kid).cloned();
        match (key, age) {
            (Some(key), Some(age)) if age < FRESH => return Ok(Some(key)),
            (None, Some(age)) if age < REST => return Ok(None),
            _ => {}
        }
        let fetched = self.fetch(known.fetched).await;
        match (fetched, age) {
            (Err(error), None) => {
                tracing::warn!(%error, url = self.url, "no key set");
                Err(Problem::unavailable(
                    "keys_unavailable",
                    "The keys of access tokens cannot be had for now.",
                    1,
                ))
            }
            // An old set is better than none: keys change seldom, and tokens expire.
            _ => Ok(self.known().keys.get(kid).cloned()),
        }
    }

    /// Fetches the set, once for all who wait.
    async fn fetch(&self, seen: Option<Instant>) -> Result<(), reqwest::Error> {
        let _turn = self.fetching.lock().await;
        if self.known().fetched != seen {
            return Ok(());
        }
        let set: KeySet =
            self.client.get(&self.url).timeout(TIMEOUT).send().await?.error_for_status()?.json().await?;
        let keys = set.keys.iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
        let keys =
            keys.filter_map(|key| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?)));
        let known = Known { keys: Arc::new(keys.collect()), fetched: Some(Instant::now()) };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys at {}", self.url)
    }
}
