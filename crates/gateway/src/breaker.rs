//! Leaving a failing backend alone: closed, open, and one trial call in between.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::config::Breaker as Rules;

#[derive(Debug, Default)]
struct State {
    failures: u64,
    counting_since: Option<Instant>,
    opened: Option<Instant>,
    trying: bool,
    /// Grows whenever it opens or closes: calls from before say nothing about what is now.
    round: u64,
}

/// The breaker of one backend.
#[derive(Debug)]
pub struct Breaker {
    rules: Rules,
    state: Mutex<State>,
}

/// A call that was let through.
#[derive(Debug, Clone, Copy)]
struct Pass {
    round: u64,
    trial: bool,
}

impl Breaker {
    /// Closed.
    pub fn new(rules: Rules) -> Self {
        Self { rules, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the backend is left alone, but for a trial.
    pub fn is_open(&self) -> bool {
        self.state().opened.is_some()
    }

    /// Lets a call through; after the time-out, one may try.
    fn admit(&self, now: Instant) -> Option<Pass> {
        let mut state = self.state();
        let Some(opened) = state.opened else { return Some(Pass { round: state.round, trial: false }) };
        let rested = now.saturating_duration_since(opened) >= self.rules.timeout;
        if !rested || state.trying {
            return None;
        }
        state.trying = true;
        Some(Pass { round: state.round, trial: true })
    }

    /// Lets a call through, with a ticket that tells how it ended.
    pub fn ticket(&self, now: Instant) -> Option<Ticket<'_>> {
        self.admit(now).map(|pass| Ticket { breaker: self, pass: Some(pass) })
    }

    /// Takes a trial back that said nothing: its client went away.
    fn give_up(&self, pass: Pass) {
        let mut state = self.state();
        if pass.trial && pass.round == state.round {
            state.trying = false;
        }
    }

    /// Whether it has opened, or found its backend still failing, within a time.
    pub fn opened_within(&self, time: std::time::Duration, now: Instant) -> bool {
        self.state().opened.is_some_and(|opened| now.saturating_duration_since(opened) < time)
    }

    /// Notes how a call ended.
    fn note(&self, pass: Pass, success: bool, now: Instant) {
        let mut state = self.state();
        if pass.round != state.round {
            return;
        }
        if success {
            let round = if pass.trial { state.round + 1 } else { state.round };
            *state = State { round, ..State::default() };
            return;
        }
        let expired = state
            .counting_since
            .is_some_and(|since| now.saturating_duration_since(since) >= self.rules.interval);
        if state.counting_since.is_none() || (!self.rules.interval.is_zero() && expired) {
            state.counting_since = Some(now);
            state.failures = 0;
        }
        state.failures = state.failures.saturating_add(1);
        if pass.trial || state.failures > self.rules.max_errors {
            *state = State { opened: Some(now), round: state.round + 1, ..State::default() };
        }
    }
}

/// A call that was let through; dropped without a word, it says nothing about the backend.
#[derive(Debug)]
pub struct Ticket<'t> {
    breaker: &'t Breaker,
    pass: Option<Pass>,
}

impl Ticket<'_> {
    /// Tells how the call ended.
    pub fn settle(mut self, success: bool) {
        if let Some(pass) = self.pass.take() {
            self.breaker.note(pass, success, Instant::now());
        }
    }

    /// Tells that there was an answer; one of 5xx is a failure where the breaker counts those.
    pub fn answered(self, with_5xx: bool) {
        let counts = self.breaker.rules.count_5xx;
        self.settle(!(with_5xx && counts));
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.breaker.give_up(pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn breaker(max_errors: u64, interval: Duration) -> Breaker {
        let timeout = Duration::from_secs(10);
        Breaker::new(Rules { max_errors, timeout, interval, count_5xx: false })
    }

    fn call(breaker: &Breaker, success: bool, now: Instant) -> bool {
        breaker.admit(now).map(|pass| breaker.note(pass, success, now)).is_some()
    }

    #[test]
    fn opens_rests_tries_once_and_closes() {
        let breaker = breaker(1, Duration::ZERO);
        let start = Instant::now();
        assert!(call(&breaker, false, start) && call(&breaker, false, start));
        assert!(!call(&breaker, true, start + Duration::from_secs(9)));
        let later = start + Duration::from_secs(10);
        let trial = breaker.admit(later).unwrap();
        assert!(breaker.admit(later).is_none(), "only one call tries");
        breaker.note(trial, false, later);
        assert!(breaker.admit(later + Duration::from_secs(9)).is_none(), "a trial that fails opens it again");
        let latest = later + Duration::from_secs(10);
        breaker.give_up(breaker.admit(latest).unwrap());
        assert!(call(&breaker, true, latest), "a trial that was given up can be made again");
        assert!(call(&breaker, false, latest) && call(&breaker, true, latest), "it is closed");
    }

    #[test]
    fn only_failures_in_a_row_and_within_the_interval_count() {
        let breaker = breaker(1, Duration::from_secs(60));
        let start = Instant::now();
        for (success, seconds) in [(false, 0), (true, 0), (false, 0), (false, 60)] {
            assert!(call(&breaker, success, start + Duration::from_secs(seconds)));
        }
        let last = start + Duration::from_secs(61);
        assert!(call(&breaker, false, last));
        assert!(!call(&breaker, false, last));
    }

    #[test]
    fn calls_from_before_it_opened_neither_close_it_nor_keep_it_open() {
        let breaker = breaker(0, Duration::ZERO);
        let start = Instant::now();
        let (slow, slower) = (breaker.admit(start).unwrap(), breaker.admit(start).unwrap());
        assert!(call(&breaker, false, start));
        breaker.note(slow, true, start + Duration::from_secs(1));
        assert!(breaker.admit(start + Duration::from_secs(2)).is_none());
        breaker.note(slower, false, start + Duration::from_secs(9));
        assert!(breaker.admit(start + Duration::from_secs(10)).is_some());
    }
}
