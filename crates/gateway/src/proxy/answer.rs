//! One backend's answer on an endpoint that merges: read whole, decoded, filtered.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::Ask;
use crate::body::{self, ResponseBody};
use crate::config::json;
use crate::config::{Backend, Decoding, ErrorReport};
use crate::encode::Details;
use crate::failure::{Failure, Kind};
use crate::filter;
use crate::upstream::Payload;

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
}

impl Part {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.details.is_empty()
    }
}

impl Ask<'_> {
    /// Asks one backend and takes what the endpoint wants of its answer.
    pub async fn part(
        &self,
        index: usize,
        backend: &Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<Part, Failure> {
        let started = Instant::now();
        let exchange = self.exchange(index, backend, payload, answers, deadline);
        let part =
            tokio::time::timeout_at(deadline, exchange).await.unwrap_or_else(|_| Err(Failure::timeout()));
        let complete = part.as_ref().is_ok_and(|part| part.complete);
        self.staged(index, started, part.is_err(), complete);
        self.note(index, &part, false);
        part
    }

    async fn exchange(
        &self,
        index: usize,
        backend: &Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<Part, Failure> {
        let (response, url) = self.send(index, backend, payload, answers, deadline).await?;
        let status = response.status();
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let bytes = read(response).await?;
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            let data =
                decode(backend.decoding, &bytes).map_err(|text| Failure::new(Kind::BadAnswer, text))?;
            return Ok(Part { data: filter::apply(backend, data), details: BTreeMap::new(), complete: true });
        }
        failed(backend, status, &url, content_type, &bytes)
    }
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
            Err(Failure::new(Kind::BadAnswer, text))
        }
    }
}

async fn read(response: Response<ResponseBody>) -> Result<Bytes, Failure> {
    let bad = |text: String| Failure::new(Kind::BadAnswer, text);
    let compressed = response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let collected = body::limited(response.into_body(), MAX_ANSWER).collect().await;
    let bytes = collected.map_err(|error| match body::is_too_large(error.as_ref()) {
        true => bad("the answer is too large to be merged".into()),
        false => Failure::new(Kind::Unreachable, error.to_string()),
    })?;
    let bytes = bytes.to_bytes();
    if !compressed {
        return Ok(bytes);
    }
    // The client asked for gzip itself and its wish was passed on, so the answer is still compressed.
    let mut plain = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_ref()).take(MAX_ANSWER);
    reader.read_to_end(&mut plain).map_err(|error| bad(error.to_string()))?;
    Ok(plain.into())
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
    let may_have_exponent = bytes.windows(2).any(|pair| matches!(pair, [b'0'..=b'9', b'e' | b'E']));
    if may_have_exponent {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        return json::parse_lax(text).map(|node| node.to_value()).map_err(|error| error.message);
    }
    // Only the first value counts, as in the original's decoder.
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    values.next().ok_or("EOF")?.map_err(|error| error.to_string())
}
