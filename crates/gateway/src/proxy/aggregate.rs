//! Endpoints that merge: backends side by side or in turn, fixed data, and the answer in JSON.

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Ask;
use super::answer::Part;
use crate::body::{self, ResponseBody};
use crate::config::{Backend, Output, StaticWhen};
use crate::encode;
use crate::failure::{Failure, Kind};
use crate::flatmap;
use crate::headers::Identity;
use crate::upstream::Payload;

/// Answers when at least one backend did.
pub async fn answer(
    ask: &Ask<'_>,
    payload: Payload,
    identity: &Identity,
    start: Instant,
) -> Result<Response<ResponseBody>, Failure> {
    let mut merged = merge(ask, payload, start).await;
    if let Ok((part, false)) = &mut merged
        && !ask.route.endpoint.flatmap.is_empty()
    {
        part.data = flatmap::apply(&ask.route.endpoint.flatmap, std::mem::take(&mut part.data));
    }
    let part = with_fixed(ask, merged)?;
    Ok(render(ask, part, identity))
}

/// The merged answer and whether a backend failed.
async fn merge(ask: &Ask<'_>, payload: Payload, start: Instant) -> Result<(Part, bool), Failure> {
    let endpoint = &ask.route.endpoint;
    let backends: Vec<(usize, &Backend)> =
        endpoint.backends.iter().enumerate().filter(|(_, backend)| !backend.shadow).collect();
    // Merging takes time too, so that several backends have less than the whole.
    let share = if backends.len() > 1 { endpoint.timeout.mul_f64(0.85) } else { endpoint.timeout };
    let deadline = start + share;
    if let [(index, backend)] = backends.as_slice() {
        return Ok((calls(ask, *index, backend, payload, &[], start, deadline).await?, false));
    }
    if endpoint.sequential {
        return in_turn(ask, &backends, payload, start, deadline).await;
    }
    let all = backends
        .iter()
        .map(|(index, backend)| calls(ask, *index, backend, copy(&payload), &[], start, deadline));
    combine(join_all(all).await)
}

async fn in_turn(
    ask: &Ask<'_>,
    backends: &[(usize, &Backend)],
    payload: Payload,
    start: Instant,
    deadline: Instant,
) -> Result<(Part, bool), Failure> {
    let mut answers: Vec<Map<String, Value>> = Vec::new();
    let mut parts = Vec::new();
    for (index, backend) in backends {
        let part = calls(ask, *index, backend, copy(&payload), &answers, start, deadline).await;
        let stop = !part.as_ref().is_ok_and(|part| part.complete);
        if let Ok(part) = &part {
            answers.push(part.data.clone());
        } else if parts.is_empty() {
            return combine(vec![part]);
        }
        parts.push(part);
        if stop {
            break;
        }
    }
    let (mut part, failed) = combine(parts)?;
    part.complete &= answers.len() == backends.len();
    Ok((part, failed))
}

/// Asks one backend, several times at once with `concurrent_calls`; the first complete answer wins.
async fn calls(
    ask: &Ask<'_>,
    index: usize,
    backend: &Backend,
    payload: Payload,
    answers: &[Map<String, Value>],
    start: Instant,
    deadline: Instant,
) -> Result<Part, Failure> {
    let count = ask.route.endpoint.concurrent_calls;
    if count <= 1 {
        return ask.part(index, backend, payload, answers, deadline).await;
    }
    let deadline = deadline.min(start + ask.route.endpoint.timeout.mul_f64(0.75));
    let mut running: FuturesUnordered<_> =
        (0..count).map(|_| ask.part(index, backend, copy(&payload), answers, deadline)).collect();
    let mut last = Err(Failure::timeout());
    while let Some(part) = running.next().await {
        match part {
            Ok(part) if part.complete => return Ok(part),
            Ok(part) => last = Ok(part),
            Err(failure) if last.is_err() => last = Err(failure),
            Err(_) => {}
        }
    }
    last
}

/// Only a body that is known can go to several; the stack sees to it that it is.
fn copy(payload: &Payload) -> Payload {
    match payload {
        Payload::Known(bytes) => Payload::Known(bytes.clone()),
        Payload::Empty | Payload::Stream(_) => Payload::Empty,
    }
}

/// Merges in the order of the file, the later over the earlier.
fn combine(parts: Vec<Result<Part, Failure>>) -> Result<(Part, bool), Failure> {
    let mut merged: Option<Part> = None;
    let mut failures: Vec<Failure> = Vec::new();
    for part in parts {
        match part {
            Err(failure) => failures.push(failure),
            Ok(part) => {
                let all = merged.get_or_insert_with(|| Part { complete: true, ..Part::default() });
                all.data.extend(part.data);
                all.details.extend(part.details);
                all.complete &= part.complete;
            }
        }
    }
    match merged {
        Some(mut part) => {
            part.complete &= failures.is_empty();
            Ok((part, !failures.is_empty()))
        }
        None => {
            let text: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
            let kind = failures.first().map_or(Kind::BadAnswer, |failure| failure.kind);
            // Only when they all say the same is it the client's doing.
            let refused = failures.first().and_then(|failure| failure.refused);
            let refused = refused.filter(|_| failures.iter().all(|failure| failure.refused == refused));
            Err(Failure { refused, ..Failure::new(kind, text.join("\n")) })
        }
    }
}

fn with_fixed(ask: &Ask<'_>, merged: Result<(Part, bool), Failure>) -> Result<Part, Failure> {
    let Some(fixed) = &ask.route.endpoint.fixed else { return merged.map(|(part, _)| part) };
    let fits = match (fixed.when, &merged) {
        (StaticWhen::Always, _) => true,
        (StaticWhen::Success, merged) => merged.as_ref().is_ok_and(|(_, failed)| !failed),
        (StaticWhen::Errored, merged) => merged.as_ref().map_or(true, |(_, failed)| *failed),
        (StaticWhen::Complete, merged) => {
            merged.as_ref().is_ok_and(|(part, failed)| part.complete && !failed)
        }
        (StaticWhen::Incomplete, merged) => merged.as_ref().map_or(true, |(part, _)| !part.complete),
    };
    if !fits {
        return merged.map(|(part, _)| part);
    }
    let mut part = merged.map(|(part, _)| part).unwrap_or_default();
    part.data.extend(fixed.data.clone());
    Ok(part)
}

fn render(ask: &Ask<'_>, part: Part, identity: &Identity) -> Response<ResponseBody> {
    let endpoint = &ask.route.endpoint;
    let (content_type, text) = match endpoint.output {
        Output::Text => {
            let text = part.data.get("content").and_then(Value::as_str).unwrap_or_default();
            ("text/plain; charset=utf-8", text.to_owned())
        }
        Output::Collection => {
            let list = part.data.get("collection").map_or_else(|| "[]".to_owned(), encode::value_text);
            ("application/json; charset=utf-8", list)
        }
        Output::Json | Output::NoOp => {
            ("application/json; charset=utf-8", encode::object(&part.data, &part.details))
        }
    };
    let complete = part.complete && !part.is_empty();
    let mut response = Response::new(body::full(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    identity.mark(headers, complete);
    if complete && !endpoint.cache_ttl.is_zero() {
        // What was shown to one user must not be kept for another.
        let scope =
            if ask.route.verifier.is_some() && !identity.is_compatible() { "private" } else { "public" };
        let value = format!("{scope}, max-age={}", endpoint.cache_ttl.as_secs());
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(CACHE_CONTROL, value);
        }
    }
    response
}
