//! Hours in which a person gets no mails about bookings, on the clock of their zone.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::Kind;
use crate::wording::dates::known;

/// News of a booking that begins within so long are told at once.
const URGENT: SignedDuration = SignedDuration::from_hours(12);

/// Hours without mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From when on, in the person's zone.
    #[schema(value_type = String, example = "22:00")]
    pub from: Time,
    /// Until when; on the next day where it is before `from`.
    #[schema(value_type = String, example = "07:00")]
    pub until: Time,
}

impl QuietHours {
    /// How long it is quiet still, in a zone; none when it is not.
    #[must_use]
    pub fn left(self, now: Timestamp, zone: &str) -> Option<SignedDuration> {
        let local = now.to_zoned(known(zone).0);
        let time = local.time();
        let is_quiet = if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        };
        if !is_quiet {
            return None;
        }
        let day = if time < self.until { local.date() } else { local.date().checked_add(1.day()).ok()? };
        // A time that the clocks leave out is that after the change.
        let end = day.to_datetime(self.until).to_zoned(local.time_zone().clone()).ok()?.timestamp();
        Some(end.duration_since(now)).filter(|left| left.is_positive())
    }
}

/// Whether news of a booking cannot wait for the morning.
#[must_use]
pub fn is_urgent(kind: Kind, starts_at: Timestamp, now: Timestamp) -> bool {
    match kind {
        // It passes on to somebody else.
        Kind::BookingOffered => true,
        Kind::BookingMoved
        | Kind::BookingCancelled
        | Kind::BookingRejected
        | Kind::BookingReminder
        | Kind::BookingFlagged
        | Kind::BookingApprovalNeeded => starts_at <= now + URGENT,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn left(quiet: QuietHours, now: &str, zone: &str) -> Option<i64> {
        quiet.left(now.parse().unwrap(), zone).map(|left| left.as_mins())
    }

    #[test]
    fn quiet_hours_are_on_the_persons_clock_and_go_over_midnight() {
        let night = QuietHours { from: time(22, 0, 0, 0), until: time(7, 0, 0, 0) };
        assert_eq!(left(night, "2026-03-02T22:00:00Z", "Europe/Lisbon"), Some(9 * 60));
        assert_eq!(left(night, "2026-03-02T06:59:00Z", "Europe/Lisbon"), Some(1));
        assert_eq!(left(night, "2026-03-02T07:00:00Z", "Europe/Lisbon"), None);
        assert_eq!(left(night, "2026-03-02T14:00:00Z", "Asia/Tokyo"), Some(8 * 60));
        let noon = QuietHours { from: time(12, 0, 0, 0), until: time(13, 30, 0, 0) };
        assert_eq!(left(noon, "2026-03-02T12:30:00Z", "UTC"), Some(60));
        assert_eq!(left(noon, "2026-03-02T13:30:00Z", "UTC"), None);
        // The clocks go forward at 01:00, so that the night is an hour shorter.
        assert_eq!(left(night, "2026-03-28T22:00:00Z", "Europe/Lisbon"), Some(8 * 60));
    }

    #[test]
    fn what_begins_soon_is_urgent() {
        let (now, soon) = ("2026-03-02T02:00:00Z".parse().unwrap(), "2026-03-02T09:00:00Z".parse().unwrap());
        assert!(
            is_urgent(Kind::BookingCancelled, soon, now) && !is_urgent(Kind::BookingConfirmed, soon, now)
        );
        assert!(!is_urgent(Kind::BookingMoved, soon + SignedDuration::from_hours(24), now));
    }
}
