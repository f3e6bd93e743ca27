//! The wall clock, read in this one place: token expiry and the health answer need the time of day.

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the system clock")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
