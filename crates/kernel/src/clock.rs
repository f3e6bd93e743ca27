//! The current time, handed in, so that tests move it by hand.

use jiff::Timestamp;

/// Where a service reads the current time. Two implementations exist: [`SystemClock`] and the test kit's manual clock.
pub trait Clock: Send + Sync + 'static {
    /// The current instant, truncated to the microsecond that PostgreSQL keeps, so that a value read back is equal.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}
