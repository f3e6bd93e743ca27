//! `_reservas/compression`: answers are compressed for clients that take it.

mod accept;
mod encoder;

use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::body::Body as _;

use crate::body::{self, Endless, ResponseBody};
use crate::config::Compression;
use encoder::Compressed;

/// Types besides `text/…`, `…+json` and `…+xml` that become shorter.
const TYPES: [&str; 7] = [
    "application/json",
    "application/javascript",
    "application/xml",
    "application/wasm",
    "application/x-ndjson",
    "image/svg+xml",
    "image/bmp",
];

/// Compresses an answer if its client takes that and it is worth it.
pub fn answer(
    rules: Compression,
    method: &Method,
    request: &HeaderMap,
    response: &mut Response<ResponseBody>,
) {
    if !is_worth_it(rules, method, response) {
        return;
    }
    // Also when it is not compressed: a cache between us must know that others get it otherwise.
    vary(response.headers_mut());
    let Some(coding) = accept::best(request) else { return };
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    if let Some(weak) = headers.get(ETAG).and_then(weakened) {
        headers.insert(ETAG, weak);
    }
    let inner = std::mem::replace(response.body_mut(), body::empty());
    *response.body_mut() = body::boxed(Compressed::new(inner, coding));
}

/// Undoes on the way to the backend what [`answer`] does to `ETag`: `If-Match` compares strongly, and the client can only
/// repeat what it was given (RFC 9110, section 13.1.1).
pub fn restore(request: &mut HeaderMap) {
    let Some(text) = request.get(IF_MATCH).and_then(|value| value.to_str().ok()) else { return };
    let strong: Vec<&str> = text.split(", ").map(|tag| tag.trim().trim_start_matches("W/")).collect();
    if let Ok(value) = HeaderValue::from_str(&strong.join(", ")) {
        request.insert(IF_MATCH, value);
    }
}

fn is_worth_it(rules: Compression, method: &Method, response: &Response<ResponseBody>) -> bool {
    let headers = response.headers();
    let status = response.status();
    let bodiless = *method == Method::HEAD
        || status.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    let whole = status != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_RANGE);
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value.as_bytes() == b"identity");
    let transformable = !has_word(headers, &CACHE_CONTROL, "no-transform");
    let endless = response.extensions().get::<Endless>().is_some();
    let length = response.body().size_hint().exact();
    let large = length.is_none_or(|length| length >= rules.min_size.max(1));
    !bodiless && whole && plain && transformable && !endless && large && is_compressible(headers)
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Events must arrive one by one, and some of their clients do not take them compressed.
    let text = kind.starts_with("text/") && kind != "text/event-stream";
    text || kind.ends_with("+json") || kind.ends_with("+xml") || TYPES.contains(&kind.as_str())
}

fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}

fn vary(headers: &mut HeaderMap) {
    if !has_word(headers, &VARY, "accept-encoding") && !has_word(headers, &VARY, "*") {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// The same tag for another form of the same thing (RFC 9110, section 8.8.3.3); `None` when it is weak already.
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let text = tag.to_str().ok().filter(|text| !text.starts_with("W/"))?;
    HeaderValue::from_str(&format!("W/{text}")).ok()
}
