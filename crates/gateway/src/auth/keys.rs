//! The keys that verify tokens: fetched once, kept, renewed in the background, and asked for again when one is unknown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::KeySource;
use crate::upstream::Upstream;

/// An unknown key makes the set be fetched again, but not more often than this: tokens with made-up key ids are cheap.
const MISS_INTERVAL: Duration = Duration::from_secs(5);
/// A source that failed is left alone for this long.
const FAILURE_INTERVAL: Duration = Duration::from_secs(1);
/// Keys are used for so long after they should have been renewed; then a revoked one must stop working.
const MAX_STALE: Duration = Duration::from_secs(3600);

/// The outcome of looking for a key.
pub enum Lookup {
    /// Here it is.
    Found(Arc<DecodingKey>),
    /// The source does not have it.
    Unknown,
    /// The source cannot be reached and nothing is kept.
    Unavailable,
}

struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    family: Family,
    key: Arc<DecodingKey>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Symmetric,
    Rsa,
    Elliptic,
    Edwards,
}

struct Kept {
    keys: Vec<Key>,
    fetched: Instant,
}

#[derive(Default)]
struct Attempts {
    missed: Option<Instant>,
    failed: Option<Instant>,
}

/// The keys of one source, shared by all endpoints that name it.
pub struct KeyStore {
    source: KeySource,
    lifetime: Duration,
    upstream: Upstream,
    kept: RwLock<Option<Arc<Kept>>>,
    attempts: Mutex<Attempts>,
    /// Whether a renewal runs in the background; one is enough.
    renewing: AtomicBool,
}

impl KeyStore {
    /// Empty: the first token fetches, since the source may start after the gateway.
    pub fn new(source: KeySource, lifetime: Duration, upstream: Upstream) -> Self {
        Self {
            source,
            lifetime,
            upstream,
            kept: RwLock::new(None),
            attempts: Mutex::default(),
            renewing: AtomicBool::new(false),
        }
    }

    /// Looks for the key of a token.
    pub async fn find(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm) -> Lookup {
        let kept = match self.current() {
            Some(kept) if kept.fetched.elapsed() < self.lifetime + MAX_STALE => kept,
            _ => match self.renew(None).await {
                Some(kept) => kept,
                None => return Lookup::Unavailable,
            },
        };
        if kept.fetched.elapsed() >= self.lifetime && !self.renewing.swap(true, Ordering::AcqRel) {
            let store = Arc::clone(self);
            tokio::spawn(async move {
                store.renew(Some(store.lifetime)).await;
                store.renewing.store(false, Ordering::Release);
            });
        }
        if let Some(key) = kept.pick(id, algorithm) {
            return Lookup::Found(key);
        }
        match self.renew_for_unknown(&kept).await.and_then(|kept| kept.pick(id, algorithm)) {
            Some(key) => Lookup::Found(key),
            None => Lookup::Unknown,
        }
    }

    fn current(&self) -> Option<Arc<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches; with `older_than`, only when nobody did so meanwhile.
    async fn renew(&self, older_than: Option<Duration>) -> Option<Arc<Kept>> {
        let mut attempts = self.attempts.lock().await;
        let fresh = older_than.unwrap_or(self.lifetime + MAX_STALE);
        if let Some(kept) = self.current().filter(|kept| kept.fetched.elapsed() < fresh) {
            return Some(kept);
        }
        if attempts.failed.is_some_and(|at| at.elapsed() < FAILURE_INTERVAL) {
            return None;
        }
        self.fetch(&mut attempts).await
    }

    async fn renew_for_unknown(&self, seen: &Arc<Kept>) -> Option<Arc<Kept>> {
        let mut attempts = self.attempts.lock().await;
        if let Some(kept) = self.current().filter(|kept| !Arc::ptr_eq(kept, seen)) {
            return Some(kept);
        }
        if attempts.missed.is_some_and(|at| at.elapsed() < MISS_INTERVAL) {
            return None;
        }
        attempts.missed = Some(Instant::now());
        self.fetch(&mut attempts).await
    }

    async fn fetch(&self, attempts: &mut Attempts) -> Option<Arc<Kept>> {
        let text = match &self.source {
            KeySource::Url(url) => self.upstream.get(url).await,
            KeySource::File(path) => {
                tokio::fs::read(path).await.map(Into::into).map_err(|error| error.to_string())
            }
        };
        let parsed = text.and_then(|bytes| parse(&bytes));
        match parsed {
            Ok(keys) => {
                let kept = Arc::new(Kept { keys, fetched: Instant::now() });
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&kept));
                attempts.failed = None;
                Some(kept)
            }
            Err(error) => {
                tracing::warn!(source = ?self.source, %error, "the keys that verify tokens cannot be had");
                attempts.failed = Some(Instant::now());
                None
            }
        }
    }
}

impl Kept {
    fn pick(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let name = format!("{algorithm:?}");
        let family = family_of(algorithm);
        let fits = |key: &&Key| {
            key.family == family
                && key
                    .algorithm
                    .as_deref()
                    .is_none_or(|given| given == name || (given == "Ed25519" && name == "EdDSA"))
        };
        let mut fitting = self.keys.iter().filter(fits).filter(|key| id.is_none() || key.id.as_deref() == id);
        let found = fitting.next()?;
        // Without a key id there must be no choice.
        (id.is_some() || fitting.next().is_none()).then(|| Arc::clone(&found.key))
    }
}

fn family_of(algorithm: Algorithm) -> Family {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Family::Symmetric,
        Algorithm::ES256 | Algorithm::ES384 => Family::Elliptic,
        Algorithm::EdDSA => Family::Edwards,
        _ => Family::Rsa,
    }
}

/// Reads a JWK set (RFC 7517); keys of kinds that are not known are left out.
fn parse(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let set: Value = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
    let Some(keys) = set.get("keys").and_then(Value::as_array) else { return Err("no `keys`".into()) };
    Ok(keys.iter().filter_map(read).collect())
}

fn read(jwk: &Value) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let (family, key) = match text("kty")? {
        "oct" => {
            let secret = URL_SAFE_NO_PAD.decode(text("k")?.trim_end_matches('=')).ok()?;
            (Family::Symmetric, DecodingKey::from_secret(&secret))
        }
        "RSA" => (Family::Rsa, DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?),
        "EC" => (Family::Elliptic, DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?),
        "OKP" => (Family::Edwards, DecodingKey::from_ed_components(text("x")?).ok()?),
        _ => return None,
    };
    let algorithm = text("alg").map(str::to_owned);
    Some(Key { id: text("kid").map(str::to_owned), algorithm, family, key: Arc::new(key) })
}
