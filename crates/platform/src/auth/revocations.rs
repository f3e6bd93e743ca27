//! Sessions that ended before their access tokens did: asked of the user service every second, kept as long as such a token
//! can live.
//!
//! No message queue and no Redis is needed for it: every replica of every service asks for what is new since it last asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, KeyId, SessionId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::internal::InternalToken;

/// How often the user service is asked: what is revoked there is refused everywhere this much later.
const EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest life of an access token: what ended longer ago has no tokens left.
pub const KEPT: SignedDuration = SignedDuration::from_mins(61);
/// Asked for again each time: what was written with an earlier time may be committed later.
pub const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// Sessions kept at most; beyond, the oldest leave first.
const CAPACITY: usize = 200_000;
/// The path at the user service.
pub const PATH: &str = "/internal/revocations";

/// Tokens of a session that are worth nothing before they expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The session, or the API key that stands in its place; or the organization, for all of its sessions and keys.
    pub session: SessionId,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the session is over; otherwise it goes on with tokens minted in a later second.
    pub ended: bool,
}

/// What was revoked since a time, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// The revocations.
    pub items: Vec<Revocation>,
    /// From when to ask next.
    pub next: Timestamp,
    /// After which one of that very time.
    pub after: Option<SessionId>,
    /// Whether there is more right now.
    pub more: bool,
    /// Signing keys that were withdrawn: nothing that they signed counts, whatever key set a verifier still has.
    pub retired_keys: BTreeSet<KeyId>,
}

/// What a token is worth of whose session something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// The session is over.
    Ended,
    /// The token has to be exchanged for another.
    Outdated,
}

/// The revoked sessions, as far as this process knows.
pub struct Revocations {
    url: String,
    token: InternalToken,
    client: reqwest::Client,
    known: RwLock<HashMap<SessionId, Revocation>>,
    retired_keys: RwLock<BTreeSet<String>>,
    /// From when to ask next, and after which one of that time.
    next: RwLock<Option<(Timestamp, Option<SessionId>)>>,
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Revocations at {}", self.url)
    }
}

impl Revocations {
    /// Those of the user service at a base URL.
    #[must_use]
    pub fn at(base: &str, token: InternalToken, client: reqwest::Client) -> Self {
        let url = format!("{base}{PATH}");
        Self {
            url,
            token,
            client,
            known: RwLock::default(),
            retired_keys: RwLock::default(),
            next: RwLock::default(),
        }
    }

    /// What a token minted in a second of a session is worth, if less than it says.
    #[must_use]
    pub fn find(&self, session: SessionId, minted: i64) -> Option<Worth> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let revocation = known.get(&session)?;
        match revocation.ended {
            true => Some(Worth::Ended),
            false => (minted <= revocation.at.as_second()).then_some(Worth::Outdated),
        }
    }

    /// Whether a signing key was withdrawn.
    #[must_use]
    pub fn has_retired(&self, kid: &str) -> bool {
        self.retired_keys.read().unwrap_or_else(PoisonError::into_inner).contains(kid)
    }

    /// Asks until told to stop. While the user service is down, what is known stays in force.
    pub async fn run(&self, clock: &dyn Clock, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut was_down = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            match self.step(clock.now()).await {
                Ok(()) => was_down = false,
                Err(error) if was_down => tracing::debug!(%error, "revocations"),
                Err(error) => {
                    was_down = true;
                    tracing::warn!(error = %error.without_url(), "ended sessions are not known for now");
                }
            }
        }
    }

    /// Asks for all that is new.
    ///
    /// # Errors
    /// When the user service does not answer.
    pub async fn step(&self, now: Timestamp) -> Result<(), reqwest::Error> {
        loop {
            let next = *self.next.read().unwrap_or_else(PoisonError::into_inner);
            let (since, after) = next.unwrap_or((now - KEPT, None));
            let mut request = self.client.get(&self.url).query(&[("since", since.to_string())]);
            if let Some(after) = after {
                request = request.query(&[("after", after.to_string())]);
            }
            let request = request.timeout(TIMEOUT);
            let answer = request.bearer_auth(self.token.0.expose()).send().await?.error_for_status()?;
            let page: Page = answer.json().await?;
            self.learn(&page, now);
            if !page.more {
                return Ok(());
            }
        }
    }

    fn learn(&self, page: &Page, now: Timestamp) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for item in &page.items {
            // An end is never taken back by an older change.
            let kept = known.entry(item.session).or_insert(*item);
            if item.ended || (!kept.ended && item.at > kept.at) {
                *kept = *item;
            }
        }
        known.retain(|_, revocation| revocation.at > now - KEPT);
        if known.len() > CAPACITY {
            tracing::warn!(sessions = known.len(), "more sessions ended than are remembered");
            let mut times: Vec<_> = known.values().map(|revocation| revocation.at).collect();
            times.sort_unstable();
            let oldest = times.get(known.len() - CAPACITY).copied().unwrap_or(now);
            known.retain(|_, revocation| revocation.at >= oldest);
        }
        *self.next.write().unwrap_or_else(PoisonError::into_inner) = Some((page.next, page.after));
        let retired = page.retired_keys.iter().map(ToString::to_string).collect();
        *self.retired_keys.write().unwrap_or_else(PoisonError::into_inner) = retired;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn revocations() -> Revocations {
        let client = crate::http::client::client(Duration::from_secs(1)).unwrap();
        Revocations::at("http://127.0.0.1:9", InternalToken(Secret::default()), client)
    }

    fn page(items: Vec<Revocation>, next: Timestamp) -> Page {
        Page { items, next, after: None, more: false, retired_keys: BTreeSet::new() }
    }

    #[test]
    fn an_ended_session_is_over_and_a_changed_one_needs_newer_tokens() {
        let (known, now) = (revocations(), "2026-03-02T08:00:00.5Z".parse::<Timestamp>().unwrap());
        let (over, changed) = (SessionId::mint(), SessionId::mint());
        let item = |session, ended| Revocation { session, at: now, ended };
        let items = vec![item(over, true), item(changed, false), item(over, false)];
        known.learn(&page(items, now), now);
        assert_eq!(known.find(over, now.as_second() + 60), Some(Worth::Ended));
        assert_eq!(known.find(changed, now.as_second()), Some(Worth::Outdated));
        assert_eq!(known.find(changed, now.as_second() + 1), None);
        assert_eq!(known.find(SessionId::mint(), now.as_second()), None);
        known.learn(&page(vec![], now), now + KEPT);
        assert_eq!(known.find(over, now.as_second()), None, "its tokens have expired by themselves");
    }
}
