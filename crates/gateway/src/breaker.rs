//! Leaving a failing backend alone: closed, open, and one trial call in between.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::config::Breaker as Rules;

#[derive(Debug, Default)]
struct State {
    failures: u64,
    counting_since: Option<Instant>,
    opened: Option<Instant>,
    trial: Option<Instant>,
}

/// The breaker of one backend.
#[derive(Debug)]
pub struct Breaker {
    rules: Rules,
    state: Mutex<State>,
}

impl Breaker {
    /// Closed.
    pub fn new(rules: Rules) -> Self {
        Self { rules, state: Mutex::default() }
    }

    /// Whether an answer of 5xx is a failure, though there was an answer.
    pub fn counts_5xx(&self) -> bool {
        self.rules.count_5xx
    }

    /// Whether the backend is left alone, but for a trial.
    pub fn is_open(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).opened.is_some()
    }

    /// Whether the backend may be asked; after the time-out, one call may try.
    pub fn allows(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = state.opened else { return true };
        let rested = now.saturating_duration_since(opened) >= self.rules.timeout;
        // A trial that was given up by its client never reports, so it does not block for longer than the time-out.
        let trying = state.trial.is_some_and(|at| now.saturating_duration_since(at) < self.rules.timeout);
        if rested && !trying {
            state.trial = Some(now);
            return true;
        }
        false
    }

    /// Notes how a call ended.
    pub fn note(&self, success: bool, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if success {
            *state = State::default();
            return;
        }
        let expired = state
            .counting_since
            .is_some_and(|since| now.saturating_duration_since(since) >= self.rules.interval);
        if state.counting_since.is_none()
            || (!self.rules.interval.is_zero() && expired && state.opened.is_none())
        {
            state.counting_since = Some(now);
            state.failures = 0;
        }
        state.failures = state.failures.saturating_add(1);
        if state.trial.take().is_some() || state.failures > self.rules.max_errors {
            state.opened = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn opens_rests_tries_once_and_closes() {
        let rules = Rules {
            max_errors: 1,
            timeout: Duration::from_secs(10),
            interval: Duration::ZERO,
            count_5xx: false,
        };
        let breaker = Breaker::new(rules);
        let start = Instant::now();
        breaker.note(false, start);
        assert!(breaker.allows(start));
        breaker.note(false, start);
        assert!(!breaker.allows(start + Duration::from_secs(9)));
        let later = start + Duration::from_secs(10);
        assert!(breaker.allows(later));
        assert!(!breaker.allows(later), "only one call tries");
        breaker.note(false, later);
        assert!(!breaker.allows(later + Duration::from_secs(1)));
        let latest = later + Duration::from_secs(10);
        assert!(breaker.allows(latest));
        breaker.note(true, latest);
        assert!(breaker.allows(latest));
    }
}
