//! `no-op`: the backend's status, headers and body go to the client as they are, streamed both ways.

use http::{HeaderMap, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Ask;
use crate::body::{Endless, ResponseBody};
use crate::failure::{Failure, Kind};
use crate::headers::{self, Identity};
use crate::held;
use crate::households::Share;
use crate::tunnel::Wish;
use crate::upstream::Payload;

/// Asks the one backend that answers.
pub async fn answer(
    ask: &Ask<'_>,
    payload: Payload,
    identity: &Identity,
    deadline: Instant,
    share: Option<Share>,
    socket: Option<(OwnedSemaphorePermit, Wish)>,
) -> Result<Response<ResponseBody>, Failure> {
    let mut backends = ask.route.endpoint.backends.iter().enumerate().filter(|(_, backend)| !backend.shadow);
    let Some((index, backend)) = backends.next() else {
        return Err(Failure::new(Kind::BadAnswer, "no backend"));
    };
    let started = Instant::now();
    let sent = ask.send(index, backend, payload, &[], deadline).await;
    ask.staged(index, started, sent.is_err(), sent.is_ok());
    let sent = sent?;
    let with_5xx = sent.response.status().is_server_error();
    sent.ticket.into_iter().for_each(|ticket| ticket.answered(with_5xx));
    let response = sent.response;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let unasked = || Failure::new(Kind::BadAnswer, "101 without being asked");
        let (tunnels, (permit, wish)) = ask.route.tunnels.as_ref().zip(socket).ok_or_else(unasked)?;
        return tunnels.open(wish, permit, response);
    }
    let (mut parts, body) = response.into_parts();
    headers::strip_hop_by_hop(&mut parts.headers);
    parts.headers = marked(identity, parts.headers);
    parts.extensions.clear();
    let body = if ask.route.endpoint.stream {
        parts.extensions.insert(Endless);
        body
    } else {
        held::until(body.shared(share), deadline).await
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
