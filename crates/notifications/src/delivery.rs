//! A delivery's life: queued, until it is sent or has failed; and the schedule of its attempts.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The pause after the first failed attempt; it doubles with each further one.
pub const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The longest pause.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// How long a delivery waits at least while all providers rest; up to twice as long by chance.
pub const REST: SignedDuration = SignedDuration::from_secs(5);

/// Why a delivery to someone who is gone failed.
pub const REMOVED: &str = "the person was removed";

/// Where a delivery is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = DeliveryStatus)]
pub enum State {
    /// Waits for its first or next attempt, or is being attempted.
    Queued,
    /// The provider took it.
    Sent,
    /// Given up: refused for good, or too many attempts.
    Failed,
}

/// By which way a message is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = DeliveryChannel)]
pub enum Way {
    /// A mail.
    Email,
    /// A file in the outbox.
    Outbox,
    /// A push to a device.
    Push,
    /// A short message to a phone.
    Sms,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it, and said this.
    Sent(String),
    /// It did not work, and may later.
    Passing(String),
    /// It did not work, and will not before that time has passed: the provider said so.
    Busy(String, SignedDuration),
    /// It will never work.
    Permanent(String),
    /// It will never work, and neither will anything else to this address.
    NoSuchAddress(String),
    /// The provider takes nothing at the moment, and did not take this: another may.
    Away(String),
    /// The provider broke off before its last word, so it may have been taken: no other is asked.
    Unsure(String),
    /// No provider was asked, because all of them rest. Not an attempt.
    Resting,
    /// The person is not to be disturbed for so long. Not an attempt.
    Quiet(SignedDuration),
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is done.
    Sent,
    /// Another attempt after a pause.
    Retry(SignedDuration),
    /// The same attempt after a pause.
    Postpone(SignedDuration),
    /// Nothing: it is given up.
    Failed,
}

impl Outcome {
    /// What follows, when this was attempt number `attempt` (from 1) of `most`; `random` is from 0 to 1.
    #[must_use]
    pub fn next(&self, attempt: i32, most: u16, random: f64) -> Next {
        match self {
            Self::Sent(_) => Next::Sent,
            Self::Resting => Next::Postpone(REST.mul_f64(1.0 + random.clamp(0.0, 1.0))),
            Self::Quiet(left) => Next::Postpone(*left),
            Self::Permanent(_) | Self::NoSuchAddress(_) => Next::Failed,
            _ if attempt >= i32::from(most) => Next::Failed,
            Self::Busy(_, left) => Next::Retry(pause(attempt, random).max((*left).min(LONGEST_PAUSE))),
            _ => Next::Retry(pause(attempt, random)),
        }
    }

    /// Its name in the table of attempts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Passing(_) | Self::Busy(..) => "passing",
            Self::Permanent(_) => "permanent",
            Self::NoSuchAddress(_) => "no_such_address",
            Self::Away(_) => "away",
            Self::Unsure(_) => "unsure",
            Self::Resting => "resting",
            Self::Quiet(_) => "quiet",
        }
    }

    /// What the provider said.
    #[must_use]
    pub fn answer(&self) -> &str {
        match self {
            Self::Sent(answer)
            | Self::Passing(answer)
            | Self::Busy(answer, _)
            | Self::Permanent(answer)
            | Self::NoSuchAddress(answer)
            | Self::Away(answer)
            | Self::Unsure(answer) => answer,
            Self::Resting => "no provider takes anything at the moment",
            Self::Quiet(_) => "the person has quiet hours",
        }
    }

    /// The outcome with another answer.
    #[must_use]
    pub fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Sent(answer) => Self::Sent(change(answer)),
            Self::Passing(answer) => Self::Passing(change(answer)),
            Self::Busy(answer, left) => Self::Busy(change(answer), left),
            Self::Permanent(answer) => Self::Permanent(change(answer)),
            Self::NoSuchAddress(answer) => Self::NoSuchAddress(change(answer)),
            Self::Away(answer) => Self::Away(change(answer)),
            Self::Unsure(answer) => Self::Unsure(change(answer)),
            Self::Resting | Self::Quiet(_) => self,
        }
    }
}

/// The pause after a failed attempt: 30 s, doubling, 24 h at most, less up to a quarter by chance, so that what
/// failed together does not come back together.
fn pause(attempt: i32, random: f64) -> SignedDuration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(20);
    let whole = (FIRST_PAUSE * 2i32.pow(doublings)).min(LONGEST_PAUSE);
    whole.mul_f64(1.0 - 0.25 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn permanent_failures_end_it_at_once_and_passing_ones_after_the_last_attempt() {
        let (passing, permanent) = (Outcome::Passing("421".into()), Outcome::Permanent("550".into()));
        assert_eq!(Outcome::Sent("250".into()).next(1, 3, 0.0), Next::Sent);
        assert_eq!(permanent.next(1, 3, 0.0), Next::Failed);
        assert_eq!(passing.next(1, 3, 0.0), Next::Retry(SignedDuration::from_secs(30)));
        assert_eq!(passing.next(2, 3, 0.0), Next::Retry(SignedDuration::from_secs(60)));
        assert_eq!(passing.next(3, 3, 0.0), Next::Failed);
        assert_eq!(
            Outcome::Unsure("late".into()).next(1, 3, 0.0),
            Next::Retry(SignedDuration::from_secs(30))
        );
        let busy = |hours| Outcome::Busy("429".into(), SignedDuration::from_hours(hours)).next(1, 3, 0.0);
        assert_eq!(busy(0), Next::Retry(FIRST_PAUSE));
        assert_eq!(
            (busy(2), busy(99)),
            (Next::Retry(SignedDuration::from_hours(2)), Next::Retry(LONGEST_PAUSE))
        );
        assert_eq!(Outcome::Resting.next(9, 3, 0.0), Next::Postpone(REST), "to wait is no attempt");
    }

    #[test]
    fn sixteen_attempts_span_four_days_as_rfc_5321_section_4_5_4_1_asks() {
        let total = (1..16).map(|attempt| pause(attempt, 0.0)).sum::<SignedDuration>();
        assert!(total > SignedDuration::from_hours(96), "{total}");
    }

    proptest! {
        #[test]
        fn pauses_are_positive_and_a_day_at_most(attempt in any::<i32>(), random in any::<f64>()) {
            let pause = pause(attempt, random);
            prop_assert!(pause >= FIRST_PAUSE.mul_f64(0.75) && pause <= LONGEST_PAUSE, "{pause}");
        }
    }
}
