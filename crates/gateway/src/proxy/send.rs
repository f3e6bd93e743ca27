//! The way to one backend: what is kept of its answers, its breaker and limit, a host that is well, and once more.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, Method, Response};
use tokio::time::Instant;
use url::Url;

use super::target::Target;
use super::{Ask, Map, Value};
use crate::body::ResponseBody;
use crate::breaker::Ticket;
use crate::cache::{Entry, Look};
use crate::config::{Backend, Output};
use crate::failure::{Failure, Kind};
use crate::hosts::base::Base;
use crate::hosts::{Attempt, Host, Place};
use crate::modify;
use crate::upstream::{Outgoing, Payload};

/// What a backend answered.
pub struct Sent<'t> {
    /// The answer; its body is empty where `kept` has it.
    pub response: Response<ResponseBody>,
    /// The address that answered.
    pub url: Url,
    /// What is to be told how the call ended; none when nobody was asked.
    pub ticket: Option<Ticket<'t>>,
    /// The answer as it is kept.
    pub kept: Option<Arc<Entry>>,
}

/// A request on its way to a backend, before a host is chosen.
struct Draft<'a> {
    backend: &'a Backend,
    target: &'a Target,
    method: Method,
    /// The path and query.
    path: String,
    headers: Cow<'a, HeaderMap>,
}

impl Draft<'_> {
    /// The address at a host, and the headers, as the backend's modifiers make them.
    fn at(&self, base: &Base) -> Result<(Url, Cow<'_, HeaderMap>), Failure> {
        let wrong = |error| Failure::new(Kind::BadAnswer, format!("{base}{}: {error}", self.path));
        let mut url = base.with(&self.path).map_err(wrong)?;
        let mut headers = Cow::Borrowed(&*self.headers);
        let changes = &self.backend.modifier.request;
        if !changes.is_empty() {
            modify::request(changes, &mut url, headers.to_mut());
        }
        Ok((url, headers))
    }

    /// Whether the call may be made a second time: nothing is lost with the first, and it changes nothing twice.
    fn again(&self, payload: &Payload) -> Option<Payload> {
        let idempotent = [Method::GET, Method::PUT, Method::DELETE].contains(&self.method);
        match payload {
            _ if !self.target.retry || !idempotent => None,
            Payload::Empty => Some(Payload::Empty),
            Payload::Known(bytes) => Some(Payload::Known(bytes.clone())),
            Payload::Stream(_) => None,
        }
    }
}

impl<'a> Ask<'a> {
    /// Asks a backend, unless its answer is known or it is to be left alone.
    pub(super) async fn send(
        &self,
        index: usize,
        backend: &'a Backend,
        payload: Payload,
        answers: &[Map<String, Value>],
        deadline: Instant,
    ) -> Result<Sent<'a>, Failure> {
        let route: &'a super::Route = self.route;
        let missing = || Failure::new(Kind::BadAnswer, "no backend");
        let target = route.targets.get(index).ok_or_else(missing)?;
        let (method, path, headers) = self.prepare(backend, answers)?;
        let draft = Draft { backend, target, method, path, headers };
        let keeps = draft.method == Method::GET && matches!(payload, Payload::Empty);
        let mut sent = match &target.cache {
            // Boxed, so that a call without a cache does not carry its weight.
            Some(_) if keeps => Box::pin(self.kept_or_asked(draft, deadline)).await?,
            _ => self.forward(draft, payload, deadline).await?,
        };
        modify::response(&backend.modifier.response, &mut sent.response);
        Ok(sent)
    }

    async fn kept_or_asked(&self, mut draft: Draft<'a>, deadline: Instant) -> Result<Sent<'a>, Failure> {
        let Some(cache) = &draft.target.cache else {
            return self.forward(draft, Payload::Empty, deadline).await;
        };
        let (url, headers) = draft.at(&draft.target.balance.named)?;
        let headers = headers.into_owned();
        let personal = &self.route.personal;
        let fill = match cache.look(url.as_str(), &headers, personal, deadline).await? {
            Look::Kept(entry) => return Ok(self.kept(entry, &headers, None)),
            Look::Pass => return self.forward(draft, Payload::Empty, deadline).await,
            Look::Ask(fill) => fill,
        };
        fill.ask(draft.headers.to_mut());
        let Sent { response, url, ticket, .. } = match self.forward(draft, Payload::Empty, deadline).await {
            Ok(sent) => sent,
            Err(failure) => {
                fill.failed(&failure);
                return Err(failure);
            }
        };
        match fill.answered(response, &url, deadline).await {
            Ok((_, Some(entry))) => Ok(self.kept(entry, &headers, ticket)),
            Ok((response, None)) => Ok(Sent { response, url, ticket, kept: None }),
            Err(failure) => {
                ticket.into_iter().for_each(|ticket| ticket.settle(false));
                Err(failure)
            }
        }
    }

    fn kept(&self, entry: Arc<Entry>, headers: &HeaderMap, ticket: Option<Ticket<'a>>) -> Sent<'a> {
        // A merged answer is made of the whole, whatever the client has.
        let conditions = (self.route.endpoint.output == Output::NoOp).then_some(headers);
        Sent { response: entry.answer(conditions), url: entry.url.clone(), ticket, kept: Some(entry) }
    }

    /// Asks a host that is well, and another one when the first cannot be reached.
    async fn forward(
        &self,
        draft: Draft<'a>,
        payload: Payload,
        deadline: Instant,
    ) -> Result<Sent<'a>, Failure> {
        let target = draft.target;
        let ticket = target.admit()?;
        let again = draft.again(&payload);
        let mut first = None;
        let mut result = self.attempt(&draft, payload, None, &mut first, deadline).await;
        let unreachable = result.as_ref().is_err_and(|failure| failure.kind == Kind::Unreachable);
        if let (true, Some(payload), Some(first)) = (unreachable, again, &first) {
            target.counts.retry();
            result = self.attempt(&draft, payload, Some(&first.host), &mut None, deadline).await;
        }
        match result {
            Ok((response, url)) => Ok(Sent { response, url, ticket, kept: None }),
            Err(failure) => {
                if !failure.is_not_the_backends() {
                    ticket.into_iter().for_each(|ticket| ticket.settle(false));
                }
                Err(failure)
            }
        }
    }

    async fn attempt(
        &self,
        draft: &Draft<'_>,
        payload: Payload,
        avoid: Option<&Host>,
        asked: &mut Option<Place>,
        deadline: Instant,
    ) -> Result<(Response<ResponseBody>, Url), Failure> {
        let attempt = draft.target.balance.next(avoid, deadline).await?;
        let place = &attempt.place;
        // Who may take long to answer may not wait long for a seat.
        let patience = self.route.endpoint.head_timeout.map(|_| Instant::now() + self.route.endpoint.timeout);
        let patience = patience.map_or(deadline, |patience| patience.min(deadline));
        let seat = place.room.enter(patience).await.inspect_err(|_| draft.target.counts.refuse())?;
        if draft.target.retry {
            *asked = Some(place.clone());
        }
        let (url, mut headers) = draft.at(&place.base)?;
        if let Some(authority) = &place.authority {
            headers.to_mut().insert(http::header::HOST, authority.clone());
        }
        let follow = draft.backend.follow_redirects;
        let outgoing = Outgoing { method: draft.method.clone(), url, headers, body: payload, follow };
        let result = self.exchanged(draft.target, outgoing, deadline).await;
        report(attempt, &result);
        let (response, url) = result?;
        // An answer without an end would keep its seat for ever.
        let response =
            if self.route.endpoint.stream { response } else { response.map(|inner| inner.seated(seat)) };
        Ok((response, url))
    }
}

/// Tells the host how it did: no answer, or one that says that nobody answers, is a failure.
fn report(attempt: Attempt, result: &Result<(Response<ResponseBody>, Url), Failure>) {
    match result {
        Ok((response, _)) => attempt.report(!matches!(response.status().as_u16(), 502..=504)),
        Err(Failure { kind: Kind::Unreachable | Kind::Timeout, .. }) => attempt.report(false),
        Err(_) => {}
    }
}
