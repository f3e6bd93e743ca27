//! What may be booked: the rules, evaluated purely, every broken one told at once.

use jiff::{SignedDuration, Timestamp};
use kernel::Slot;
use serde::Serialize;
use utoipa::ToSchema;

/// The rules in force for a resource. Every resource has the same until policies are configured per resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The shortest booking.
    pub shortest: SignedDuration,
    /// The longest booking.
    pub longest: SignedDuration,
    /// How far ahead a booking may end.
    pub horizon: SignedDuration,
    /// How long after its start a booking may still be made: people book the room they have just walked into.
    pub late: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            shortest: SignedDuration::from_mins(5),
            longest: SignedDuration::from_hours(24 * 31),
            horizon: SignedDuration::from_hours(24 * 730),
            late: SignedDuration::from_mins(15),
        }
    }
}

/// A rule that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Broken {
    /// The rule's name.
    #[schema(example = "horizon")]
    pub rule: &'static str,
    /// What it demands.
    pub detail: String,
}

impl Policy {
    /// Every rule that a booking of `slot` made `now` would break.
    #[must_use]
    pub fn evaluate(&self, slot: &Slot, now: Timestamp) -> Vec<Broken> {
        let rules = [
            (
                slot.duration() >= self.shortest,
                "min_duration",
                format!("It must be {} long at least.", text(self.shortest)),
            ),
            (
                slot.duration() <= self.longest,
                "max_duration",
                format!("It may be {} long at most.", text(self.longest)),
            ),
            (
                now.duration_since(slot.starts_at()) <= self.late,
                "lead_time",
                "It must not start in the past.".to_owned(),
            ),
            (
                slot.ends_at() <= now + self.horizon,
                "horizon",
                format!("It may be {} ahead at most.", text(self.horizon)),
            ),
        ];
        rules
            .into_iter()
            .filter(|(kept, ..)| !kept)
            .map(|(_, rule, detail)| Broken { rule, detail })
            .collect()
    }
}

fn text(duration: SignedDuration) -> String {
    match (duration.as_hours(), duration.as_mins()) {
        (hours, _) if hours >= 48 => format!("{} days", hours / 24),
        (hours, _) if hours > 1 => format!("{hours} hours"),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(starts_at: &str, ends_at: &str) -> Vec<&'static str> {
        let slot = Slot::new(starts_at.parse().unwrap(), ends_at.parse().unwrap()).unwrap();
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        Policy::default().evaluate(&slot, now).into_iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn every_broken_rule_is_told() {
        assert_eq!(broken("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"), [""; 0]);
        assert_eq!(broken("2026-03-02T07:45:00Z", "2026-03-02T10:00:00Z"), [""; 0]);
        assert_eq!(broken("2026-03-02T07:44:00Z", "2026-03-02T07:48:00Z"), ["min_duration", "lead_time"]);
        assert_eq!(broken("2029-03-02T07:00:00Z", "2029-05-02T07:00:00Z"), ["max_duration", "horizon"]);
    }
}
