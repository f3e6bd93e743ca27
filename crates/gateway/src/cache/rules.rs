//! What of HTTP caching (RFC 9111) is a matter of headers alone: what may be kept, for whom, and for how long.

use std::time::Duration;

use http::header::{
    AGE, CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    PRAGMA, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;

/// Nothing is fresh for longer (RFC 9111 leaves it open; beyond a year it is a mistake).
const MAX_FRESH: Duration = Duration::from_secs(365 * 86_400);

/// `Cache-Control`, of an answer or of a request. Seconds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    private: bool,
    public: bool,
    max_age: Option<u64>,
    s_maxage: Option<u64>,
    min_fresh: Option<u64>,
}

fn directives(headers: &HeaderMap) -> Directives {
    let mut read = Directives::default();
    for text in headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()) {
        let mut quoted = false;
        let parts = text.split(|letter| {
            quoted ^= letter == '"';
            letter == ',' && !quoted
        });
        for part in parts {
            let (name, value) = part.split_once('=').map_or((part, ""), |(name, value)| (name, value));
            // What is no number is taken as zero: an answer whose freshness cannot be read is stale (section 4.2.1).
            let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
            let least = |known: Option<u64>| Some(known.map_or(seconds, |known| known.min(seconds)));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => read.no_store = true,
                // With names of fields they concern only those; we leave out the whole, which is allowed.
                "no-cache" => read.no_cache = true,
                "private" => read.private = true,
                "public" => read.public = true,
                "max-age" => read.max_age = least(read.max_age),
                "s-maxage" => read.s_maxage = least(read.s_maxage),
                "min-fresh" => read.min_fresh = least(read.min_fresh),
                _ => {}
            }
        }
    }
    read
}

/// What a request wants of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing to do with it: `no-store`, a part of the answer, a condition on a change.
    None,
    /// An answer that is at most so old, and fresh for at least so long.
    Kept(Duration, Duration),
}

/// Reads the wish of a request.
pub fn wish(headers: &HeaderMap) -> Wish {
    let apart = ["range", "if-range", "if-match", "if-unmodified-since"];
    if apart.iter().any(|name| headers.contains_key(*name)) {
        return Wish::None;
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let fresh =
            headers.get(PRAGMA).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"no-cache"));
        return Wish::Kept(if fresh { Duration::ZERO } else { Duration::MAX }, Duration::ZERO);
    }
    let wish = directives(headers);
    if wish.no_store {
        return Wish::None;
    }
    let oldest = if wish.no_cache { Some(0) } else { wish.max_age };
    let oldest = oldest.map_or(Duration::MAX, Duration::from_secs);
    Wish::Kept(oldest, Duration::from_secs(wish.min_fresh.unwrap_or(0)))
}

/// How an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long it is fresh, from when it was made; zero: it must be asked for again each time.
    pub fresh_for: Duration,
    /// How old it is already.
    pub age: Duration,
    /// Whether it may be shown to others than the one who asked.
    pub for_all: bool,
}

/// Statuses whose answers are kept; parts of an answer (206) are not.
const KEPT: [u16; 11] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/// The terms of an answer; `None` when it may not be kept.
pub fn terms(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Terms> {
    let said = directives(headers);
    let anything = headers.get_all(VARY).iter().any(|value| value.as_bytes().contains(&b'*'));
    let endless =
        headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    // A cookie is meant for one, whatever else the answer says.
    let personal = said.private || headers.contains_key(SET_COOKIE);
    if said.no_store || personal || anything || endless || !KEPT.contains(&status.as_u16()) {
        return None;
    }
    let made = time(headers, &DATE);
    let expires = headers.contains_key(EXPIRES).then(|| {
        // What is no date is in the past (section 5.3).
        let until = time(headers, &EXPIRES).unwrap_or(Timestamp::UNIX_EPOCH);
        Duration::try_from(until.duration_since(made.unwrap_or(now))).unwrap_or_default()
    });
    let said_seconds = said.s_maxage.or(said.max_age).map(Duration::from_secs);
    let fresh_for = if said.no_cache { None } else { said_seconds.or(expires) };
    let fresh_for = fresh_for.unwrap_or_default().min(MAX_FRESH);
    let apparent = made.and_then(|made| Duration::try_from(now.duration_since(made)).ok());
    let told = headers.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let age = apparent.unwrap_or_default().max(Duration::from_secs(told.unwrap_or(0)));
    let can_be_asked_again = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    let for_all = said.public || said.s_maxage.is_some();
    (fresh_for > age || can_be_asked_again).then_some(Terms { fresh_for, age, for_all })
}

fn time(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Whether the client has what the kept answer is (sections 4.3.2; RFC 9110, section 13.2.2).
pub fn client_has_it(request: &HeaderMap, kept: &HeaderMap) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    if request.contains_key(IF_NONE_MATCH) {
        let Some(tag) = kept.get(ETAG).and_then(|value| value.to_str().ok()).map(opaque) else {
            return false;
        };
        let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        return lists
            .flat_map(|list| list.split(','))
            .any(|given| given.trim() == "*" || opaque(given) == tag);
    }
    match (time(request, &IF_MODIFIED_SINCE), time(kept, &LAST_MODIFIED)) {
        (Some(seen), Some(changed)) => changed <= seen,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn of(pairs: &[(&str, &str)]) -> Option<(u64, u64, bool)> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let terms = terms(StatusCode::OK, &headers(pairs), now)?;
        Some((terms.fresh_for.as_secs(), terms.age.as_secs(), terms.for_all))
    }

    #[test]
    fn freshness_is_read_from_what_counts_most() {
        let date = ("date", "Tue, 24 Nov 2026 11:59:50 GMT");
        let expires = ("expires", "Tue, 24 Nov 2026 12:00:50 GMT");
        assert_eq!(of(&[date, expires]), Some((60, 10, false)));
        assert_eq!(of(&[date, expires, ("cache-control", "max-age=30")]), Some((30, 10, false)));
        assert_eq!(of(&[("cache-control", "max-age=30, s-maxage=40")]), Some((40, 0, true)));
        assert_eq!(of(&[("cache-control", "Public, max-age=\"30\""), ("age", "7")]), Some((30, 7, true)));
        assert_eq!(
            of(&[("cache-control", "max-age=30"), ("cache-control", "max-age=20")]),
            Some((20, 0, false))
        );
        assert_eq!(of(&[("etag", "\"1\"")]), Some((0, 0, false)), "it can be asked for again");
        assert_eq!(of(&[("cache-control", "no-cache, max-age=9"), ("etag", "\"1\"")]), Some((0, 0, false)));
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        for said in
            ["no-store", "private", "private=\"x, max-age=9\", max-age=9", "max-age=x", "max-age=0", ""]
        {
            assert_eq!(of(&[("cache-control", said)]), None, "{said}");
        }
        let fresh = ("cache-control", "public, max-age=9");
        for other in [
            ("vary", "accept, *"),
            ("set-cookie", "a=1"),
            ("content-type", "text/event-stream"),
            ("age", "9"),
        ] {
            assert_eq!(of(&[fresh, other]), None, "{other:?}");
        }
        assert_eq!(of(&[("expires", "0")]), None);
        let partial = terms(StatusCode::PARTIAL_CONTENT, &headers(&[fresh]), Timestamp::UNIX_EPOCH);
        assert_eq!(partial, None);
    }

    #[test]
    fn wishes_and_conditions_of_clients() {
        let wish = |name, value| wish(&headers(&[(name, value)]));
        let second = Duration::from_secs(1);
        assert_eq!(wish("cache-control", "no-store"), Wish::None);
        assert_eq!(wish("range", "bytes=0-1"), Wish::None);
        assert_eq!(wish("cache-control", "no-cache"), Wish::Kept(Duration::ZERO, Duration::ZERO));
        assert_eq!(wish("pragma", "no-cache"), Wish::Kept(Duration::ZERO, Duration::ZERO));
        assert_eq!(wish("cache-control", "max-age=5, min-fresh=1"), Wish::Kept(second * 5, second));
        assert_eq!(wish("accept", "*/*"), Wish::Kept(Duration::MAX, Duration::ZERO));
        let kept = headers(&[("etag", "W/\"1\""), ("last-modified", "Tue, 24 Nov 2026 12:00:00 GMT")]);
        let has = |name, value| client_has_it(&headers(&[(name, value)]), &kept);
        assert!(
            has("if-none-match", "\"0\", \"1\"")
                && has("if-none-match", "*")
                && !has("if-none-match", "\"2\"")
        );
        assert!(has("if-modified-since", "Tue, 24 Nov 2026 12:00:00 GMT"));
        assert!(!has("if-modified-since", "Tue, 24 Nov 2026 11:59:59 GMT") && !has("accept", "x"));
    }
}
