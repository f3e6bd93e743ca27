//! `no-op`: the backend's status, headers and body go to the client as they are, streamed both ways.

use http::{HeaderMap, Response};
use tokio::time::Instant;

use super::Ask;
use crate::body::{self, Deadlined, Endless, ResponseBody};
use crate::failure::Failure;
use crate::headers::{self, Identity};
use crate::upstream::Payload;

/// Asks the one backend that answers.
pub async fn answer(
    ask: &Ask<'_>,
    payload: Payload,
    identity: &Identity,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Failure> {
    let mut backends = ask.route.endpoint.backends.iter().enumerate().filter(|(_, backend)| !backend.shadow);
    let Some((index, backend)) = backends.next() else {
        return Err(Failure::new(crate::failure::Kind::BadAnswer, "no backend"));
    };
    let started = Instant::now();
    let sent = ask.send(index, backend, payload, &[], deadline).await;
    let answered_5xx = sent.as_ref().is_ok_and(|(response, _)| response.status().is_server_error());
    ask.staged(index, started, sent.is_err(), sent.is_ok());
    ask.note(index, &sent, answered_5xx);
    let (response, _) = sent?;
    let (mut parts, body) = response.into_parts();
    headers::strip_hop_by_hop(&mut parts.headers);
    parts.headers = marked(identity, parts.headers);
    parts.extensions.clear();
    let body = if ask.route.endpoint.stream {
        parts.extensions.insert(Endless);
        body
    } else {
        body::boxed(Deadlined::new(body, deadline))
    };
    Ok(Response::from_parts(parts, body))
}

/// The gateway's marks first, the backend's headers after them: where both have one, both are there, as in the original.
fn marked(identity: &Identity, theirs: HeaderMap) -> HeaderMap {
    let mut all = HeaderMap::with_capacity(theirs.len() + 2);
    identity.mark(&mut all, false);
    let mut name = None;
    for (next, value) in theirs {
        name = next.or(name);
        if let Some(name) = &name {
            all.append(name.clone(), value);
        }
    }
    all
}
