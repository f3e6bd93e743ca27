//! One backend's answer on an endpoint that merges: read whole, decoded, filtered.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::Ask;
use super::send::Sent;
use crate::body::{self, ResponseBody};
use crate::cache::Entry;
use crate::config::json;
use crate::config::{Backend, Decoding, ErrorReport};
use crate::encode::Details;
use crate::failure::{Failure, Kind};
use crate::filter;
use crate::upstream::{self, Payload};

/// Answers that are merged are held in memory, so they are bounded.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// A backend's share of the answer.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// What it said.
    pub data: Map<String, Value>,
    /// What it said when it failed and that is to be shown.
    pub details: BTreeMap<String, Details>,
    /// Whether that is all it should have said.
    pub complete: bool,
    /// Where what it becomes is kept: the answer is, and it is all that the endpoint is made of.
    pub kept: Option<Arc<Entry>>,
}

impl Part {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.details.is_empty()
    }
}

impl<'a> Ask<'a> {
    /// Asks one backend and takes what the endpoint wants of its answer.
    pub async fn part(
        &self,
        index: usize,
        backend: &'a Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<Part, Failure> {
        let started = Instant::now();
        let part = self.part_of(index, backend, payload, answers, deadline).await;
        let complete = part.as_ref().is_ok_and(|part| part.complete);
        self.staged(index, started, part.is_err(), complete);
        part
    }

    async fn part_of(
        &self,
        index: usize,
        backend: &'a Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<Part, Failure> {
        let sent = self.send(index, backend, payload, answers, deadline).await?;
        let Sent { response, url, ticket, kept } = sent;
        // What is kept and was rendered before needs no work at all.
        let kept = kept.filter(|entry| self.renders(index, entry));
        if kept.as_ref().is_some_and(|entry| entry.rendered.get().is_some()) {
            ticket.into_iter().for_each(|ticket| ticket.settle(true));
            return Ok(Part { complete: true, kept, ..Part::default() });
        }
        let taken = take(backend, response, &url);
        let part = tokio::time::timeout_at(deadline, taken).await.unwrap_or_else(|_| Err(Failure::timeout()));
        ticket.into_iter().for_each(|ticket| ticket.settle(part.is_ok()));
        part.map(|part| Part { kept, ..part })
    }

    /// Whether the endpoint's answer is made of this kept one alone, and always in the same way.
    fn renders(&self, index: usize, entry: &Entry) -> bool {
        let alone = self.route.endpoint.backends.iter().filter(|backend| !backend.shadow).count() == 1;
        let good = matches!(entry.status, StatusCode::OK | StatusCode::CREATED);
        alone && good && self.route.targets.get(index).is_some_and(|target| target.renders)
    }
}

async fn take(backend: &Backend, response: Response<ResponseBody>, url: &Url) -> Result<Part, Failure> {
    let status = response.status();
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let bytes = read(response).await?;
    if matches!(status, StatusCode::OK | StatusCode::CREATED) {
        let data = decode(backend.decoding, &bytes).map_err(|text| Failure::new(Kind::BadAnswer, text))?;
        return Ok(Part { data: filter::apply(backend, data), complete: true, ..Part::default() });
    }
    failed(backend, status, url, content_type, &bytes)
}

/// What an answer that is neither 200 nor 201 becomes.
fn failed(
    backend: &Backend,
    status: StatusCode,
    url: &Url,
    content_type: String,
    bytes: &[u8],
) -> Result<Part, Failure> {
    let body = || String::from_utf8_lossy(bytes).into_owned();
    match &backend.errors {
        ErrorReport::Details(name) => {
            let details = Details { status: status.as_u16(), body: body(), encoding: content_type };
            let details = BTreeMap::from([(format!("error_{name}"), details)]);
            Ok(Part { details, ..Part::default() })
        }
        ErrorReport::Code => {
            Err(Failure { passed_on: Some((status, content_type)), ..Failure::new(Kind::BadAnswer, body()) })
        }
        ErrorReport::None => {
            let text = format!(
                "invalid status code {} [{} {}]: {url}",
                status.as_u16(),
                backend.method,
                backend.url_pattern.text
            );
            let refused = Some(status).filter(StatusCode::is_client_error);
            Err(Failure { refused, ..Failure::new(Kind::BadAnswer, text) })
        }
    }
}

async fn read(response: Response<ResponseBody>) -> Result<Bytes, Failure> {
    let bad = |text: String| Failure::new(Kind::BadAnswer, text);
    // When the client asked for gzip itself and its wish was passed on, the answer is still compressed.
    let collected = body::limited(upstream::plain(response).into_body(), MAX_ANSWER).collect().await;
    let bytes = collected.map_err(|error| match body::is_too_large(error.as_ref()) {
        true => bad("the answer is too large to be merged".into()),
        false => Failure::new(Kind::Unreachable, error.to_string()),
    })?;
    Ok(bytes.to_bytes())
}

fn decode(decoding: Decoding, bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let single = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
    if decoding == Decoding::Text {
        return Ok(single("content", String::from_utf8_lossy(bytes).into_owned().into()));
    }
    if bytes.is_empty() {
        return Err("EOF".into());
    }
    let value = value(bytes)?;
    match (decoding, value) {
        (_, Value::Object(data)) if decoding != Decoding::Collection => Ok(data),
        (Decoding::Collection | Decoding::SafeJson, list @ Value::Array(_)) => Ok(single("collection", list)),
        (Decoding::SafeJson, other) => Ok(single("content", other)),
        (Decoding::Collection, _) => Err("the answer is no list".into()),
        (_, Value::Null) => Ok(Map::new()),
        _ => Err("the answer is no object".into()),
    }
}

/// Reads a document with its numbers as they are written.
fn value(bytes: &[u8]) -> Result<Value, String> {
    // `serde_json` is faster but writes exponents its own way (`1e5` as `1e+5`).
    if has_exponent(bytes) {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        return json::parse_lax(text).map(|node| node.to_value()).map_err(|error| error.message);
    }
    // Only the first value counts, as in the original's decoder.
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    values.next().ok_or("EOF")?.map_err(|error| error.to_string())
}

/// Whether a number of a document is written with an exponent; what stands in strings, such as a UUID, is none.
fn has_exponent(bytes: &[u8]) -> bool {
    let (mut in_string, mut escaped, mut last) = (false, false, 0);
    for &byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'e' | b'E') if u8::is_ascii_digit(&last) => return true,
            _ => {}
        }
        last = byte;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_have_exponents() {
        for (text, has) in [
            (r#"{"a":1e5}"#, true),
            (r#"{"a":[-1.0E-5]}"#, true),
            (r#"{"id":"0e1","b":true}"#, false),
            (r#"{"a\"1e5":"\\","b":1e5}"#, true),
            (r#"{"a\"1e5":"\\1e5"}"#, false),
        ] {
            assert_eq!(has_exponent(text.as_bytes()), has, "{text}");
        }
    }

    #[test]
    fn both_readers_take_the_same_documents() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(100), "]".repeat(100));
        for inner in ["1", "1e5"] {
            assert!(value(deep(inner).as_bytes()).is_ok(), "{inner}");
            assert!(value(format!("{{\"x\":{inner}}} {{\"y\":1}}").as_bytes()).is_ok(), "{inner}");
            assert!(value(format!("{{\"x\":{inner}").as_bytes()).is_err(), "{inner}");
        }
    }
}
