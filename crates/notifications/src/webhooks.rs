//! Addresses of integrators that are told what happens to bookings, by requests signed as Standard Webhooks says.

pub mod client;
pub mod guard;
pub mod signature;

use contracts::bookings::{
    BookingApproved, BookingCancelled, BookingChanged, BookingCheckedIn, BookingCompleted, BookingConfirmed,
    BookingEscalated, BookingExpired, BookingFlagged, BookingHeld, BookingMoved, BookingNoShow,
    BookingReinstated, BookingRejected, BookingReminderDue, BookingRequested, BookingTransferred,
};
use jiff::SignedDuration;
use kernel::Event as _;

pub use client::Client;

/// Webhooks of one organization at most.
pub const MOST: i64 = 50;
/// How long requests are signed with the secret before as well, after it was replaced.
pub const OLD_SECRET: SignedDuration = SignedDuration::from_hours(24);
/// How long a webhook may fail, without one success, before it is disabled.
pub const MOST_FAILING: SignedDuration = SignedDuration::from_hours(72);
/// How long what has ended is kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The type of the event by which an address is tried.
pub const TEST: &str = "reservas.webhook.test.v1";

/// The pauses after failed attempts, in seconds: three days and three hours in all, each longer by up to a tenth by chance.
const PAUSES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The events that a webhook can be told.
pub const TYPES: [&str; 17] = [
    BookingHeld::TYPE,
    BookingConfirmed::TYPE,
    BookingMoved::TYPE,
    BookingCancelled::TYPE,
    BookingExpired::TYPE,
    BookingCheckedIn::TYPE,
    BookingCompleted::TYPE,
    BookingRequested::TYPE,
    BookingApproved::TYPE,
    BookingEscalated::TYPE,
    BookingRejected::TYPE,
    BookingNoShow::TYPE,
    BookingTransferred::TYPE,
    BookingChanged::TYPE,
    BookingReinstated::TYPE,
    BookingFlagged::TYPE,
    BookingReminderDue::TYPE,
];

/// The pause after a failed attempt, from 1; none after the last. `random` is from 0 to 1.
#[must_use]
pub fn pause(attempt: i32, random: f64) -> Option<SignedDuration> {
    let index = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let seconds = PAUSES.get(index)?;
    Some(SignedDuration::from_secs(*seconds).mul_f64(1.0 + 0.1 * random.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_span_three_days_and_then_end() {
        let total = (1..=9).map(|attempt| pause(attempt, 0.0).unwrap()).sum::<SignedDuration>();
        assert!(total >= SignedDuration::from_hours(72) && total > MOST_FAILING, "{total}");
        assert_eq!(pause(10, 0.0), None);
        assert!(pause(3, 1.0) > pause(3, 0.0));
    }
}
