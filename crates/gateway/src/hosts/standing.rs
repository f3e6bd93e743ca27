//! How a host stands: what checks and calls say of it. Pure, so that it can be tested without a clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Check, Health};

/// Whether a host should be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It should.
    Well,
    /// It was ejected long enough: one call may try.
    Due,
    /// Only when no other is there.
    Out,
}

/// What is known of a host.
#[derive(Debug, Default)]
pub struct Standing {
    /// Failed calls in a row.
    failures: u64,
    /// Ejections in a row.
    rounds: u32,
    ejected_until: Option<Instant>,
    trying: bool,
    /// What the checks say.
    down: bool,
    /// Checks in a row that say the other thing.
    against: u64,
}

impl Standing {
    /// Whether the host should be asked now.
    pub fn fit(&self, now: Instant) -> Fit {
        match self.ejected_until {
            _ if self.down => Fit::Out,
            None => Fit::Well,
            Some(until) if now >= until && !self.trying => Fit::Due,
            Some(_) => Fit::Out,
        }
    }

    /// Takes the one trial of an ejected host; `false` when another call has it.
    pub fn begin_trial(&mut self, now: Instant) -> bool {
        let due = self.fit(now) == Fit::Due;
        self.trying |= due;
        due
    }

    /// Gives the trial back that said nothing: its client went away.
    pub fn give_up_trial(&mut self) {
        self.trying = false;
    }

    /// Notes how a call ended; tells whether the host was ejected for it.
    pub fn note(&mut self, success: bool, trial: bool, rules: &Health, now: Instant) -> bool {
        if trial {
            self.trying = false;
        }
        if success {
            // Any success counts, also of a call that was made because no host was left.
            self.failures = 0;
            self.rounds = 0;
            self.ejected_until = None;
            return false;
        }
        if rules.max_failures == 0 || (self.ejected_until.is_some() && !trial) {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        if !trial && self.failures < rules.max_failures {
            return false;
        }
        let doubled = rules.eject_for.checked_mul(1_u32.checked_shl(self.rounds).unwrap_or(u32::MAX));
        let time = doubled.unwrap_or(Duration::MAX).min(rules.max_ejection);
        self.rounds = self.rounds.saturating_add(1).min(31);
        // A time that lies beyond what the clock can say is as good as a day.
        self.ejected_until = now.checked_add(time).or_else(|| now.checked_add(Duration::from_secs(86_400)));
        self.failures = 0;
        true
    }

    /// Notes a check; tells what changed: `true` when the host is back, `false` when it is out.
    pub fn checked(&mut self, well: bool, rules: &Check) -> Option<bool> {
        if well != self.down {
            self.against = 0;
            return None;
        }
        self.against = self.against.saturating_add(1);
        let enough = if well { rules.healthy } else { rules.unhealthy };
        if self.against < enough {
            return None;
        }
        // Who was asked and is well again is not ejected for what happened before.
        *self = Self { down: !well, ..Self::default() };
        Some(well)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(max_failures: u64) -> Health {
        let second = Duration::from_secs(1);
        let check = Check { path: "/".into(), interval: second, timeout: second, healthy: 2, unhealthy: 3 };
        Health { check: Some(check), max_failures, eject_for: second * 5, max_ejection: second * 12 }
    }

    #[test]
    fn failures_in_a_row_eject_for_a_growing_and_bounded_time() {
        let (rules, start, second) = (rules(2), Instant::now(), Duration::from_secs(1));
        let mut host = Standing::default();
        assert!(!host.note(false, false, &rules, start));
        host.note(true, false, &rules, start);
        assert!(!host.note(false, false, &rules, start), "a success between them counts");
        assert!(host.note(false, false, &rules, start));
        let mut now = start;
        for seconds in [5, 10, 12, 12] {
            assert_eq!(host.fit(now + second * (seconds - 1)), Fit::Out, "{seconds}");
            now += second * seconds;
            assert_eq!(host.fit(now), Fit::Due);
            assert!(host.begin_trial(now) && !host.begin_trial(now), "one call tries");
            assert!(host.note(false, true, &rules, now), "a trial that fails ejects at once");
        }
        assert!(!host.note(false, false, &rules, now), "calls from before say nothing new");
        now += second * 12;
        assert!(host.begin_trial(now));
        host.give_up_trial();
        assert!(host.begin_trial(now), "a trial that was given up can be made again");
        host.note(true, true, &rules, now);
        assert_eq!(host.fit(now), Fit::Well);
    }

    #[test]
    fn checks_take_a_host_out_and_bring_it_back_by_their_thresholds() {
        let (rules, now) = (rules(0), Instant::now());
        let check = rules.check.clone().unwrap();
        let mut host = Standing::default();
        assert!(!host.note(false, false, &rules, now), "zero is never");
        let said: Vec<_> =
            [false, false, true, false, false, false].map(|well| host.checked(well, &check)).into();
        assert_eq!(said, [None, None, None, None, None, Some(false)]);
        assert_eq!(host.fit(now), Fit::Out);
        assert_eq!(host.checked(true, &check), None);
        assert_eq!(host.checked(true, &check), Some(true));
        assert_eq!(host.fit(now), Fit::Well);
    }
}
