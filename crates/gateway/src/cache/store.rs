//! The kept answers: bounded in number and in bytes, each with the variants that `Vary` tells apart.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, LAST_MODIFIED, TRANSFER_ENCODING, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::rules::{self, Terms};
use crate::body::{self, ResponseBody};
use crate::config::HttpCache;

/// Variants of one address; a further one takes the place of the oldest.
const MAX_VARIANTS: usize = 16;
/// One answer takes at most this share of the cache.
const LARGEST_SHARE: u64 = 4;
/// Nor may it be larger than this many bytes: it is held whole before it is sent.
const LARGEST: u64 = 8 * 1024 * 1024;
/// An address whose answer may not be kept is asked side by side for so long.
const PASS_FOR: Duration = Duration::from_secs(10);

/// An answer for one address, one who asks, and one set of headers that matter.
#[derive(Debug)]
pub struct Entry {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The address that answered.
    pub url: Url,
    /// What it became on its way to the client, where that is always the same.
    pub rendered: OnceLock<Bytes>,
    terms: Terms,
    kept: Instant,
    vary: Vec<(HeaderName, Vec<HeaderValue>)>,
}

impl Entry {
    /// Keeps an answer to a request with these headers.
    pub fn new(
        request: &HeaderMap,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        url: Url,
        terms: Terms,
    ) -> Self {
        let vary = varied(request, &headers);
        Self { status, headers, body, url, rendered: OnceLock::new(), terms, kept: Instant::now(), vary }
    }

    /// The same answer, for which the backend had no news (RFC 9111, section 4.3.4).
    pub fn renewed(&self, request: &HeaderMap, news: &HeaderMap, terms: Terms) -> Self {
        let mut headers = self.headers.clone();
        for name in
            news.keys().filter(|name| ![CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING].contains(name))
        {
            headers.remove(name);
            for value in news.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let rendered = self.rendered.clone();
        let new = Self::new(request, self.status, headers, self.body.clone(), self.url.clone(), terms);
        Self { rendered, ..new }
    }

    /// Whether it may be shown to others than the one who asked.
    pub fn is_for_all(&self) -> bool {
        self.terms.for_all
    }

    /// Whether it answers a request with these headers.
    pub fn fits(&self, request: &HeaderMap) -> bool {
        self.vary.iter().all(|(name, values)| request.get_all(name).iter().eq(values))
    }

    fn age(&self, now: Instant) -> Duration {
        self.terms.age.saturating_add(now.saturating_duration_since(self.kept))
    }

    /// Whether it can be shown without asking: fresh, at most so old, and fresh for at least so long.
    pub fn is_fresh(&self, oldest: Duration, at_least: Duration, now: Instant) -> bool {
        let age = self.age(now);
        age <= oldest && oldest > Duration::ZERO && age.saturating_add(at_least) < self.terms.fresh_for
    }

    /// The headers that ask the backend whether there is news.
    pub fn conditions(&self) -> [(HeaderName, Option<&HeaderValue>); 2] {
        let etag = self.headers.get(ETAG);
        let changed = self.headers.get(LAST_MODIFIED);
        [(http::header::IF_NONE_MATCH, etag), (http::header::IF_MODIFIED_SINCE, changed)]
    }

    /// The answer; 304 when the client that sent this request has it.
    pub fn answer(&self, request: Option<&HeaderMap>) -> Response<ResponseBody> {
        let has_it = request.is_some_and(|request| rules::client_has_it(request, &self.headers));
        let same = self.status == StatusCode::OK && has_it;
        let (status, body) = if same {
            (StatusCode::NOT_MODIFIED, body::empty())
        } else {
            (self.status, body::full(self.body.clone()))
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let mut headers = self.headers.clone();
        headers.insert(AGE, self.age(Instant::now()).as_secs().into());
        if same {
            headers.remove(CONTENT_LENGTH);
        }
        *response.headers_mut() = headers;
        response
    }

    /// What it takes of the cache, in bytes, about.
    fn size(&self) -> u64 {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        let vary: usize = self.vary.iter().flat_map(|(_, values)| values).map(|value| value.len() + 64).sum();
        // The rendered form is about as large as the body it comes from.
        u64::try_from(self.body.len().saturating_mul(2) + headers + vary + 512).unwrap_or(u64::MAX)
    }
}

/// The request's values of what `Vary` names. A compressed answer differs by `Accept-Encoding`, said or not.
fn varied(request: &HeaderMap, answer: &HeaderMap) -> Vec<(HeaderName, Vec<HeaderValue>)> {
    let lists = answer.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let mut names: Vec<HeaderName> =
        lists.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    if answer.contains_key(CONTENT_ENCODING) {
        names.push(http::header::ACCEPT_ENCODING);
    }
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    let values = |name: &HeaderName| request.get_all(name).iter().cloned().collect();
    names.into_iter().map(|name| (name.clone(), values(&name))).collect()
}

/// An address, and who asked where that matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The address.
    pub url: Arc<str>,
    /// A digest of what tells who asks; absent for everybody.
    pub who: Option<[u8; 32]>,
}

#[derive(Clone, Default)]
struct Slot {
    variants: Arc<[Arc<Entry>]>,
    pass_until: Option<Instant>,
}

/// The kept answers.
pub struct Store {
    slots: moka::future::Cache<Key, Slot>,
    /// The largest answer that is kept, in bytes.
    pub largest: u64,
}

impl Store {
    /// An empty one.
    pub fn new(rules: HttpCache) -> Self {
        // Weighing each slot at least its share of the whole bounds the number, too.
        let share = (rules.max_size / rules.max_items).max(1);
        let weigh = move |key: &Key, slot: &Slot| {
            let size: u64 = slot.variants.iter().map(|entry| entry.size()).sum();
            let size = size.saturating_add(u64::try_from(key.url.len()).unwrap_or(u64::MAX));
            let share = share.saturating_mul(u64::try_from(slot.variants.len().max(1)).unwrap_or(1));
            u32::try_from(size.max(share)).unwrap_or(u32::MAX)
        };
        let slots = moka::future::Cache::builder().max_capacity(rules.max_size).weigher(weigh).build();
        Self { slots, largest: (rules.max_size / LARGEST_SHARE).min(LARGEST) }
    }

    /// The variant for a request.
    pub async fn find(&self, key: &Key, request: &HeaderMap) -> Option<Arc<Entry>> {
        let slot = self.slots.get(key).await?;
        slot.variants.iter().find(|entry| entry.fits(request)).cloned()
    }

    /// Whether it was found a moment ago that the answer may not be kept.
    pub async fn passes(&self, key: &Key) -> bool {
        let slot = self.slots.get(key).await;
        slot.and_then(|slot| slot.pass_until).is_some_and(|until| Instant::now() < until)
    }

    /// Remembers that an answer may not be kept; those to other requests, which may, stay.
    pub async fn pass(&self, key: Key) {
        let old = self.slots.get(&key).await.unwrap_or_default();
        self.slots.insert(key, Slot { pass_until: Some(Instant::now() + PASS_FOR), ..old }).await;
    }

    /// Keeps an answer, in the place of the one it follows.
    pub async fn keep(&self, key: Key, entry: Arc<Entry>, request: &HeaderMap) {
        let old = self.slots.get(&key).await.unwrap_or_default();
        let others = old.variants.iter().filter(|other| !other.fits(request)).take(MAX_VARIANTS - 1);
        let variants = std::iter::once(entry).chain(others.cloned()).collect();
        self.slots.insert(key, Slot { variants, pass_until: None }).await;
    }
}
