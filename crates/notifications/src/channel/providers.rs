//! The providers in their order: the second is asked when the first is away. Each has a limit on its rate and a circuit
//! breaker, so that one that is down costs nothing but a try now and then.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use recloser::{AsyncRecloser, Error as Broken, Recloser};
use tokio::time::Instant;

use super::Channel;
use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

/// Messages that a breaker looks back at; it opens when half of them found the provider away.
const CALLS: usize = 8;
/// How long an open breaker refuses before it lets a message try again.
const OPEN: Duration = Duration::from_secs(10);
/// How long a message waits at most for its turn at a provider with a limit.
const TURN: Duration = Duration::from_secs(2);
/// How long a provider is left alone at most that asks for it.
const BUSY: Duration = Duration::from_secs(3600);
/// How long nothing is taken from the queue after every provider was found resting.
const REST: Duration = Duration::from_secs(5);

/// One message at one provider.
#[derive(Debug)]
pub struct Try {
    /// Which.
    pub provider: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Try {
    /// The same with another outcome.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Outcome) -> Outcome) -> Self {
        Self { outcome: change(self.outcome), ..self }
    }
}

/// A channel with its breaker and its pace.
pub struct Provider<M = Mail> {
    name: &'static str,
    channel: Box<dyn Channel<M>>,
    breaker: AsyncRecloser,
    pace: Pace,
    /// Whether what it says of being busy is about one address, and not about itself.
    is_busy_by_address: bool,
    /// Until when it asked to be left alone.
    busy_until: Mutex<Option<Instant>>,
}

impl<M> Provider<M> {
    /// The provider of that name; at most `per_second` messages a second, 0 for as many as come.
    pub fn new(name: &'static str, channel: impl Channel<M> + 'static, per_second: u32) -> Self {
        let breaker =
            Recloser::custom().error_rate(0.5).closed_len(CALLS).half_open_len(1).open_wait(OPEN).build();
        Self {
            name,
            channel: Box::new(channel),
            breaker: AsyncRecloser::from(breaker),
            pace: Pace::new(per_second),
            is_busy_by_address: false,
            busy_until: Mutex::default(),
        }
    }

    /// The same, of a service that says of single addresses that they get too much: it does not rest for that.
    #[must_use]
    pub fn busy_by_address(self) -> Self {
        Self { is_busy_by_address: true, ..self }
    }

    /// Tries once; none when it rests.
    pub async fn attempt(&self, message: &M) -> Option<Try> {
        if is_ahead(&self.busy_until) || !self.pace.turn().await {
            return None;
        }
        let started = Instant::now();
        let sending = async {
            match self.channel.send(message).await {
                bad @ (Outcome::Away(_) | Outcome::Unsure(_)) => Err(bad),
                told => Ok(told),
            }
        };
        match self.breaker.call(sending).await {
            Ok(outcome) | Err(Broken::Inner(outcome)) => {
                if let Outcome::Busy(_, left) = &outcome
                    && !self.is_busy_by_address
                {
                    let left = Duration::try_from(*left).unwrap_or_default().min(BUSY);
                    set(&self.busy_until, Instant::now() + left);
                }
                Some(Try { provider: self.name, outcome, took: started.elapsed() })
            }
            Err(Broken::Rejected) => None,
        }
    }
}

/// All providers of a sort of messages.
pub struct Providers<M = Mail> {
    way: Way,
    first: Provider<M>,
    second: Option<Provider<M>>,
    resting_until: Mutex<Option<Instant>>,
}

impl<M> std::fmt::Debug for Providers<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Providers({}, {:?})", self.first.name, self.second.as_ref().map(|second| second.name))
    }
}

impl<M> Providers<M> {
    /// A provider, and who is asked when it is away or busy.
    #[must_use]
    pub fn new(first: Provider<M>, second: Option<Provider<M>>) -> Self {
        Self { way: first.channel.way(), first, second, resting_until: Mutex::default() }
    }

    /// By which way their messages go.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Sends a message by the first provider that is there. Every try is told, the one that counts last; none when all rest.
    pub async fn send(&self, message: &M) -> Vec<Try> {
        let mut tries = Vec::new();
        for provider in [Some(&self.first), self.second.as_ref()].into_iter().flatten() {
            let Some(made) = provider.attempt(message).await else { continue };
            let another_may = matches!(made.outcome, Outcome::Away(_) | Outcome::Busy(..));
            tries.push(made);
            if !another_may {
                break;
            }
        }
        if tries.is_empty() {
            set(&self.resting_until, Instant::now() + REST);
        }
        tries
    }

    /// Whether all of them were found resting a moment ago: then the queue is left alone.
    #[must_use]
    pub fn rest(&self) -> bool {
        is_ahead(&self.resting_until)
    }
}

fn set(until: &Mutex<Option<Instant>>, at: Instant) {
    *until.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
}

fn is_ahead(until: &Mutex<Option<Instant>>) -> bool {
    let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
    until.is_some_and(|until| until > Instant::now())
}

/// A limit on a rate: turns lie evenly apart.
#[derive(Debug)]
struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let gap = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self { gap, next: Mutex::default() }
    }

    /// Waits for the next turn; false when that is too far off, and then none is used up.
    async fn turn(&self) -> bool {
        if self.gap.is_zero() {
            return true;
        }
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            if at > now + TURN {
                return false;
            }
            *next = Some(at + self.gap);
            at
        };
        tokio::time::sleep_until(at).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_that_are_too_far_off_are_refused() {
        let pace = Pace::new(1);
        *pace.next.lock().unwrap() = Some(Instant::now() + Duration::from_secs(60));
        assert!(!pace.turn().await);
        let unlimited = Pace::new(0);
        assert!(unlimited.turn().await && unlimited.turn().await);
    }
}
