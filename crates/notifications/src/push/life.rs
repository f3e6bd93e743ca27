//! For how long a push is of use.

use jiff::{SignedDuration, Timestamp};

use crate::message::{Facts, Kind};

/// A push is of no use after that.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// From when on it is of no use: a day later, or when there is nothing to do about it any more.
#[must_use]
pub fn expires_at(kind: Kind, facts: &Facts, now: Timestamp) -> Timestamp {
    let end = match kind {
        Kind::BookingReminder => Some(facts.now.slot.starts_at()),
        Kind::BookingOffered => facts.until,
        _ => None,
    };
    let latest = now + LIFE;
    end.map_or(latest, |end| end.clamp(now, latest))
}
