//! `qos/http-cache`: backends' answers, kept as RFC 9111 allows, asked for once however many want them, and never shown
//! to another than the one they were made for.

mod rules;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{AUTHORIZATION, COOKIE, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

pub use store::Entry;

use crate::body::{self, Prefixed, ResponseBody};
use crate::clock;
use crate::config::HttpCache;
use crate::failure::{Failure, Kind};
use crate::headers;
use crate::metrics::BackendCounts;
use rules::Wish;
use store::{Key, Store};

/// How a call that others wait for ended.
#[derive(Clone)]
enum Outcome {
    /// The answer, and who asked for it.
    Kept(Arc<Entry>, Option<[u8; 32]>),
    NotKept,
    Failed(Failure),
}

type Flights = Arc<Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>>;

/// The cache of a backend, or of all that share one.
#[derive(Clone)]
pub struct Cache {
    store: Arc<Store>,
    flights: Flights,
    counts: BackendCounts,
}

/// What the cache says to a request.
pub enum Look {
    /// Here is the answer.
    Kept(Arc<Entry>),
    /// Ask, and tell what came back.
    Ask(Box<Fill>),
    /// Ask; the answer is not kept.
    Pass,
}

/// A call whose answer is waited for; dropped without an outcome, another takes its place.
pub struct Fill {
    cache: Cache,
    flight: Key,
    own: Key,
    sender: watch::Sender<Option<Outcome>>,
    stale: Option<Arc<Entry>>,
    /// The headers that the answer may vary by, without the client's own conditions.
    asked: HeaderMap,
}

impl Cache {
    /// An empty one.
    pub fn new(rules: HttpCache, counts: BackendCounts) -> Self {
        Self { store: Arc::new(Store::new(rules)), flights: Flights::default(), counts }
    }

    /// Looks for the answer to a GET of `url` with these headers; waits while another asks for the same.
    ///
    /// `personal` are headers that tell who asks, besides `Authorization` and `Cookie`.
    ///
    /// # Errors
    /// When the one who asked failed, or it took until the deadline.
    pub async fn look(
        &self,
        url: &str,
        request: &HeaderMap,
        personal: &[HeaderName],
        deadline: Instant,
    ) -> Result<Look, Failure> {
        let Wish::Kept(oldest, at_least) = rules::wish(request) else { return Ok(Look::Pass) };
        let everybody = Key { url: url.into(), who: None };
        let own = Key { who: who(request, personal), ..everybody.clone() };
        loop {
            let mut stale = None;
            let mut flight = own.clone();
            for key in [&everybody, &own].into_iter().skip(usize::from(own.who.is_none())) {
                let found = self.store.find(key, request).await;
                // An answer to somebody unnamed is for those with a name only when the backend says so.
                let Some(entry) = found.filter(|entry| key.who == own.who || entry.is_for_all()) else {
                    continue;
                };
                if entry.is_fresh(oldest, at_least, Instant::now()) {
                    self.counts.cache("hit");
                    return Ok(Look::Kept(entry));
                }
                flight = key.clone();
                stale = Some(entry);
                break;
            }
            if stale.is_none() && self.store.passes(&own).await {
                self.counts.cache("pass");
                return Ok(Look::Pass);
            }
            let mut others = match self.join(&flight) {
                Ok(sender) => return Ok(Look::Ask(Box::new(self.fill(flight, own, sender, stale, request)))),
                Err(others) => others,
            };
            let outcome = match tokio::time::timeout_at(deadline, others.wait_for(Option::is_some)).await {
                Err(_) => return Err(Failure::timeout()),
                // The one who asked went away without an outcome.
                Ok(Err(_)) => continue,
                Ok(Ok(outcome)) => outcome.clone(),
            };
            match outcome {
                Some(Outcome::Kept(entry, asker))
                    if entry.fits(request) && (asker == own.who || entry.is_for_all()) =>
                {
                    self.counts.cache("hit");
                    return Ok(Look::Kept(entry));
                }
                Some(Outcome::Failed(failure)) => return Err(failure),
                _ => return Ok(Look::Pass),
            }
        }
    }

    fn fill(
        &self,
        flight: Key,
        own: Key,
        sender: watch::Sender<Option<Outcome>>,
        stale: Option<Arc<Entry>>,
        request: &HeaderMap,
    ) -> Fill {
        let mut asked = request.clone();
        asked.remove(IF_NONE_MATCH);
        asked.remove(IF_MODIFIED_SINCE);
        Fill { cache: self.clone(), flight, own, sender, stale, asked }
    }

    /// Begins to ask for a key, or joins those who wait for it.
    fn join(&self, key: &Key) -> Result<watch::Sender<Option<Outcome>>, watch::Receiver<Option<Outcome>>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).filter(|flight| flight.has_changed().is_ok()) {
            return Err(flight.clone());
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.clone(), receiver);
        Ok(sender)
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        self.cache.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.flight);
    }
}

impl Fill {
    /// Replaces the client's conditions by those of the answer that is kept, if there is one.
    pub fn ask(&self, headers: &mut HeaderMap) {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        for (name, value) in self.stale.iter().flat_map(|entry| entry.conditions()) {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }

    /// Tells those who wait that the call failed.
    pub fn failed(self, failure: &Failure) {
        self.sender.send_replace(Some(Outcome::Failed(failure.clone())));
    }

    /// Takes what came back: keeps it if that is allowed, and gives what the client gets.
    ///
    /// # Errors
    /// When the rest of the answer does not arrive until the deadline.
    pub async fn answered(
        self,
        response: Response<ResponseBody>,
        url: &Url,
        deadline: Instant,
    ) -> Result<(Response<ResponseBody>, Option<Arc<Entry>>), Failure> {
        let (mut parts, body) = response.into_parts();
        headers::strip_hop_by_hop(&mut parts.headers);
        let now = clock::now();
        if parts.status == StatusCode::NOT_MODIFIED
            && let Some(stale) = &self.stale
        {
            let renewed = rules::terms(stale.status, &merged(stale, &parts.headers), now);
            if let Some(terms) = renewed {
                self.cache.counts.cache("revalidated");
                let entry = Arc::new(stale.renewed(&self.asked, &parts.headers, terms));
                self.keep(Arc::clone(&entry)).await;
                return Ok((Response::new(body::empty()), Some(entry)));
            }
            // The news is that it may not be kept any more; what we have is still what the backend confirmed.
            let entry = Arc::clone(stale);
            self.sender.send_replace(Some(Outcome::NotKept));
            self.cache.store.pass(self.own.clone()).await;
            return Ok((Response::new(body::empty()), Some(entry)));
        }
        self.cache.counts.cache("miss");
        let terms = rules::terms(parts.status, &parts.headers, now);
        let announced = hyper::body::Body::size_hint(&body).lower();
        let Some(terms) = terms.filter(|_| announced <= self.cache.store.largest) else {
            if !parts.status.is_server_error() {
                self.cache.store.pass(self.own.clone()).await;
            }
            self.sender.send_replace(Some(Outcome::NotKept));
            return Ok((Response::from_parts(parts, body), None));
        };
        let read = tokio::time::timeout_at(deadline, read(body, self.cache.store.largest)).await;
        match read.unwrap_or_else(|_| Err(Failure::timeout())) {
            Err(failure) => {
                self.sender.send_replace(Some(Outcome::Failed(failure.clone())));
                Err(failure)
            }
            Ok(Read::TooLarge(rest)) => {
                self.cache.store.pass(self.own.clone()).await;
                self.sender.send_replace(Some(Outcome::NotKept));
                Ok((Response::from_parts(parts, rest), None))
            }
            Ok(Read::Whole(bytes)) => {
                let entry = Entry::new(&self.asked, parts.status, parts.headers, bytes, url.clone(), terms);
                let entry = Arc::new(entry);
                self.keep(Arc::clone(&entry)).await;
                Ok((Response::new(body::empty()), Some(entry)))
            }
        }
    }

    async fn keep(&self, entry: Arc<Entry>) {
        let key = if entry.is_for_all() { Key { who: None, ..self.own.clone() } } else { self.own.clone() };
        self.cache.store.keep(key, Arc::clone(&entry), &self.asked).await;
        self.sender.send_replace(Some(Outcome::Kept(entry, self.own.who)));
    }
}

/// The headers of a kept answer with the news of a 304.
fn merged(stale: &Entry, news: &HeaderMap) -> HeaderMap {
    let mut all = stale.headers.clone();
    // What the old answer said about its age is over: the backend has just confirmed it.
    [http::header::AGE, http::header::DATE].iter().for_each(|name| drop(all.remove(name)));
    for (name, value) in news {
        all.insert(name.clone(), value.clone());
    }
    all
}

enum Read {
    Whole(bytes::Bytes),
    TooLarge(ResponseBody),
}

/// Reads a body that may turn out to be too large; then it goes on from what was read.
async fn read(mut body: ResponseBody, largest: u64) -> Result<Read, Failure> {
    let mut read = bytes::BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(Kind::Unreachable, error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        read.extend_from_slice(&data);
        if u64::try_from(read.len()).unwrap_or(u64::MAX) > largest {
            return Ok(Read::TooLarge(body::boxed(Prefixed::new(read.freeze(), body))));
        }
    }
    Ok(Read::Whole(read.freeze()))
}

/// A digest of what tells who asks; `None` when nothing does.
fn who(request: &HeaderMap, personal: &[HeaderName]) -> Option<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut named = false;
    for name in [AUTHORIZATION, COOKIE].iter().chain(personal) {
        for value in request.get_all(name) {
            named = true;
            // Lengths keep two values apart from one that holds both.
            digest.update(name.as_str().len().to_le_bytes());
            digest.update(name.as_str());
            digest.update(value.len().to_le_bytes());
            digest.update(value.as_bytes());
        }
    }
    named.then(|| digest.finalize().into())
}

/// The caches of a route file: one for each backend that wants one, and one for all that share.
#[derive(Default)]
pub struct Caches {
    shared: Option<Cache>,
}

impl Caches {
    /// Makes the shared one large enough for all who share it.
    pub fn new(rules: impl Iterator<Item = HttpCache>, counts: &BackendCounts) -> Self {
        let widest = rules.filter(|rules| rules.shared).reduce(HttpCache::widened);
        Self { shared: widest.map(|rules| Cache::new(rules, counts.clone())) }
    }

    /// The cache for these rules.
    pub fn of(&self, rules: HttpCache, counts: &BackendCounts) -> Cache {
        let shared = self.shared.clone().filter(|_| rules.shared);
        shared.unwrap_or_else(|| Cache::new(rules, counts.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;

    fn asker(name: &str) -> HeaderMap {
        let named = (!name.is_empty()).then(|| (AUTHORIZATION, name.parse().unwrap()));
        named.into_iter().collect()
    }

    fn answer(kept: &str, body: &'static str) -> Response<ResponseBody> {
        let response = Response::builder().header("cache-control", kept).header("etag", "\"1\"");
        response.body(body::full(body)).unwrap()
    }

    /// What everybody was shown becomes personal while several ask whether there is news.
    #[tokio::test]
    async fn those_who_wait_are_not_shown_what_became_anothers() {
        let rules = HttpCache { shared: false, max_items: 10, max_size: 100_000 };
        let cache = Cache::new(rules, BackendCounts::default());
        let deadline = Instant::now() + Duration::from_secs(60);
        let url = Url::parse("http://a/x").unwrap();
        let look =
            async |name: &'static str| cache.look(url.as_str(), &asker(name), &[], deadline).await.unwrap();
        let Look::Ask(fill) = look("").await else { panic!("it is not known yet") };
        fill.answered(answer("public, no-cache", "all"), &url, deadline).await.unwrap();

        let Look::Ask(fill) = look("ada").await else { panic!("it is stale") };
        let mut waiting = [Box::pin(look("")), Box::pin(look("bob")), Box::pin(look("ada"))];
        let mut now = Context::from_waker(Waker::noop());
        for look in &mut waiting {
            assert!(look.as_mut().poll(&mut now).is_pending(), "they wait for the one who asks");
        }
        fill.answered(answer("max-age=600", "ada's"), &url, deadline).await.unwrap();
        let mut shown = Vec::new();
        for look in waiting {
            shown.push(matches!(look.await, Look::Kept(_)));
        }
        assert_eq!(shown, [false, false, true]);
    }
}
