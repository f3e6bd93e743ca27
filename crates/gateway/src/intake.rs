//! The body of a request: how much of it is here before a backend is asked, and whose fault it is when the rest is not.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use crate::account::Facts;
use crate::body::{self, BoxError, Prefixed, ResponseBody};
use crate::config::Root;
use crate::failure;
use crate::fault::Fault;
use crate::pace::{self, Pace, Paced};
use crate::proxy::Route;
use crate::upstream::Payload;

/// So much of a body, or all of it, is here before a backend is asked: who announces a body and sends none holds no
/// seat. In bytes; little, since it is held for every request that waits.
const AHEAD: usize = 16 * 1024;

/// The body, held when it is small or several backends get it, and otherwise streamed.
///
/// # Errors
/// 413 when it is too large, 408 when it comes too slowly or not before the endpoint's time is over, 400 when it breaks.
pub async fn payload(
    body: Incoming,
    route: &Route,
    root: &Root,
    start: Instant,
    facts: &Arc<Facts>,
) -> Result<Payload, Fault> {
    if body.is_end_stream() {
        return Ok(Payload::Empty);
    }
    let endpoint = &route.endpoint;
    let several = endpoint.backends.len() > 1 || endpoint.concurrent_calls > 1;
    let limits = &root.connections;
    let until = (!root.read_timeout.is_zero()).then(|| start + root.read_timeout);
    let pace = Pace { grace: limits.body_grace, rate: limits.body_min_rate, until };
    let body = facts.receive(body::limited(body, endpoint.max_payload));
    let mut body = body::boxed(Paced::new(body, pace, Arc::clone(facts)));
    // Both ends may talk at the same time there, so nothing is held back.
    if endpoint.stream {
        return Ok(Payload::Stream(body));
    }
    let enough = if several { usize::MAX } else { AHEAD };
    match tokio::time::timeout_at(start + endpoint.timeout, read(&mut body, enough)).await {
        Ok(Ok((read, true))) => Ok(Payload::Known(read)),
        Ok(Ok((read, false))) => Ok(Payload::Stream(body::boxed(Prefixed::new(read, body)))),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(failure::too_slow()),
    }
}

/// Reads until there is enough; tells whether that is all.
async fn read(body: &mut ResponseBody, enough: usize) -> Result<(Bytes, bool), BoxError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while first.len() + all.len() < enough {
        let Some(frame) = body.frame().await else {
            return Ok((joined(first, all), true));
        };
        let Ok(bytes) = frame?.into_data() else { continue };
        if first.is_empty() {
            first = bytes;
        } else {
            all.extend_from_slice(&bytes);
        }
    }
    let ended = body.is_end_stream();
    Ok((joined(first, all), ended))
}

/// Most bodies come in one part, which is not copied.
fn joined(first: Bytes, rest: BytesMut) -> Bytes {
    if rest.is_empty() {
        return first;
    }
    let mut all = BytesMut::with_capacity(first.len() + rest.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&rest);
    all.freeze()
}

fn refused(error: &BoxError) -> Fault {
    if body::is_too_large(error.as_ref()) {
        failure::too_large()
    } else if pace::is_too_slow(error.as_ref()) {
        failure::too_slow()
    } else {
        failure::incomplete()
    }
}
