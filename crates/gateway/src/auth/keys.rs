//! The keys that verify tokens: fetched once, kept, renewed in the background, and asked for again when one is unknown.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::watch;
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
    /// The source cannot be reached and nothing is kept, or it has not answered in time.
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
    /// When a fetch for an unknown key ended last.
    missed: Option<Instant>,
    /// When a fetch failed last, until one succeeds.
    failed: Option<Instant>,
    /// The last fetch: it runs as long as there is a sender.
    last: Option<watch::Receiver<()>>,
}

/// Why keys are fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// There are none that may be used, or it is time.
    Age,
    /// A token names one that is not known.
    Unknown,
}

/// The keys of one source, shared by all endpoints that name it.
pub struct KeyStore {
    source: KeySource,
    lifetime: Duration,
    upstream: Upstream,
    kept: RwLock<Option<Arc<Kept>>>,
    attempts: Mutex<Attempts>,
}

impl KeyStore {
    /// With the newest keys that `before` has of the same source, otherwise empty: the first token fetches, since the
    /// source may start after the gateway.
    pub fn new<'s>(
        source: KeySource,
        lifetime: Duration,
        upstream: Upstream,
        before: impl Iterator<Item = &'s Arc<Self>>,
    ) -> Self {
        let known = before.filter(|store| store.source == source).filter_map(|store| store.current());
        let kept = RwLock::new(known.max_by_key(|kept| kept.fetched));
        Self { source, lifetime, upstream, kept, attempts: Mutex::default() }
    }

    /// Looks for the key of a token; waits for the source until `deadline`.
    pub async fn find(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm, deadline: Instant) -> Lookup {
        if self.usable().is_none() && !self.fetched(Why::Age, deadline).await {
            return Lookup::Unavailable;
        }
        let Some(kept) = self.usable() else { return Lookup::Unavailable };
        if kept.fetched.elapsed() >= self.lifetime {
            // In the background: nobody waits while the old ones will do.
            drop(self.fetch(Why::Age));
        }
        if let Some(key) = kept.pick(id, algorithm) {
            return Lookup::Found(key);
        }
        if !self.fetched(Why::Unknown, deadline).await {
            return Lookup::Unavailable;
        }
        let found = self.current().and_then(|kept| kept.pick(id, algorithm));
        found.map_or(Lookup::Unknown, Lookup::Found)
    }

    fn current(&self) -> Option<Arc<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn usable(&self) -> Option<Arc<Kept>> {
        self.current().filter(|kept| kept.fetched.elapsed() < self.lifetime + MAX_STALE)
    }

    /// Waits for a fetch, if there is one to wait for; `false` when it does not end in time.
    async fn fetched(self: &Arc<Self>, why: Why, deadline: Instant) -> bool {
        let Some(mut fetch) = self.fetch(why) else { return true };
        // Nothing is ever sent: the error that the sender is gone is the end.
        tokio::time::timeout_at(deadline, fetch.changed()).await.is_ok()
    }

    /// The fetch that runs, or a new one unless the last was too short a time ago. It goes on when nobody waits for it
    /// any more, so that a source slower than its clients' patience is heard all the same.
    fn fetch(self: &Arc<Self>, why: Why) -> Option<watch::Receiver<()>> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = attempts.last.as_ref().filter(|last| last.has_changed().is_ok()) {
            return Some(running.clone());
        }
        let within = |at: Option<Instant>, time| at.is_some_and(|at| at.elapsed() < time);
        let missed = why == Why::Unknown && within(attempts.missed, MISS_INTERVAL);
        if missed || within(attempts.failed, FAILURE_INTERVAL) {
            return None;
        }
        let (running, last) = watch::channel(());
        attempts.last = Some(last.clone());
        let store = Arc::clone(self);
        tokio::spawn(async move {
            let failed = store.ask().await.is_none().then(Instant::now);
            let mut attempts = store.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.failed = failed;
            if why == Why::Unknown {
                attempts.missed = Some(Instant::now());
            }
            drop(attempts);
            drop(running);
        });
        Some(last)
    }

    async fn ask(&self) -> Option<()> {
        let text = match &self.source {
            KeySource::Url(url) => self.upstream.get(url).await,
            KeySource::File(path) => {
                tokio::fs::read(path).await.map(Into::into).map_err(|error| error.to_string())
            }
        };
        match text.and_then(|bytes| parse(&bytes)) {
            Ok(keys) => {
                let kept = Arc::new(Kept { keys, fetched: Instant::now() });
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                Some(())
            }
            Err(error) => {
                tracing::warn!(source = ?self.source, %error, "the keys that verify tokens cannot be had");
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
