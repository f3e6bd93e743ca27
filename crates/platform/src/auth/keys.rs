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
/// A set older than this is fetched again beside the next token, which does not wait for it; until that succeeds, the old
/// set goes on.
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
    /// When the set came.
    fetched: Option<Instant>,
    /// When it was last asked for, with or without success.
    tried: Option<Instant>,
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
    pub async fn find(self: &Arc<Self>, kid: &str) -> Result<Option<DecodingKey>, Problem> {
        let known = self.known();
        let rests = known.tried.is_some_and(|tried| tried.elapsed() < REST);
        if let Some(key) = known.keys.get(kid) {
            let is_fresh = known.fetched.is_some_and(|fetched| fetched.elapsed() < FRESH);
            if !is_fresh && !rests {
                self.refresh(known.tried);
            }
            return Ok(Some(key.clone()));
        }
        if known.fetched.is_some() && rests {
            return Ok(None);
        }
        match self.fetch(known.tried).await {
            Err(error) if known.fetched.is_none() => {
                tracing::warn!(%error, url = self.url, "no key set");
                let detail = "The keys of access tokens cannot be had for now.";
                Err(Problem::unavailable("keys_unavailable", detail, 1))
            }
            // An old set is better than none: keys change seldom, and tokens expire.
            _ => Ok(self.known().keys.get(kid).cloned()),
        }
    }

    /// Fetches the set beside whatever goes on.
    fn refresh(self: &Arc<Self>, seen: Option<Instant>) {
        let keys = self.clone();
        tokio::spawn(async move {
            if let Err(error) = keys.fetch(seen).await {
                tracing::warn!(%error, url = keys.url, "the old key set goes on");
            }
        });
    }

    /// Fetches the set, once for all who wait.
    async fn fetch(&self, seen: Option<Instant>) -> Result<(), reqwest::Error> {
        let _turn = self.fetching.lock().await;
        let known = self.known();
        if known.tried != seen && known.fetched.is_some() {
            return Ok(());
        }
        self.store(Known { tried: Some(Instant::now()), ..known });
        let set: KeySet =
            self.client.get(&self.url).timeout(TIMEOUT).send().await?.error_for_status()?.json().await?;
        let keys = set.keys.iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
        let keys =
            keys.filter_map(|key| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?)));
        let now = Some(Instant::now());
        self.store(Known { keys: Arc::new(keys.collect()), fetched: now, tried: now });
        Ok(())
    }

    fn store(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
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
