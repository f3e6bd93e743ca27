//! A half-open interval of time, `[starts_at, ends_at)`, in UTC.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest slot: ten years. Nothing that is booked for longer is a booking.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// A half-open interval. Two slots that touch do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Ends", into = "Ends")]
#[schema(as = Slot)]
pub struct Slot {
    /// First instant inside.
    starts_at: Timestamp,
    /// First instant after.
    ends_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Slot")]
struct Ends {
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// Why two instants make no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The end is the start or before it.
    #[error("the end must be after the start")]
    Empty,
    /// Longer than [`LONGEST`].
    #[error("a slot is ten years long at most")]
    TooLong,
}

impl Slot {
    /// The slot from `starts_at` to just before `ends_at`.
    ///
    /// # Errors
    /// When it would be empty, negative or longer than [`LONGEST`].
    pub fn new(starts_at: Timestamp, ends_at: Timestamp) -> Result<Self, SlotError> {
        if ends_at <= starts_at {
            return Err(SlotError::Empty);
        }
        if ends_at.duration_since(starts_at) > LONGEST {
            return Err(SlotError::TooLong);
        }
        Ok(Self { starts_at, ends_at })
    }

    /// First instant inside.
    #[must_use]
    pub const fn starts_at(&self) -> Timestamp {
        self.starts_at
    }

    /// First instant after.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// How long it is; always positive.
    #[must_use]
    pub fn duration(&self) -> SignedDuration {
        self.ends_at.duration_since(self.starts_at)
    }

    /// Whether the two share an instant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// The shortest slot that holds both; ten years long at most, as every slot.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self::new(self.starts_at.min(other.starts_at), self.ends_at.max(other.ends_at)).unwrap_or(*self)
    }

    /// The slot with so much more before and after it, as far as time goes.
    #[must_use]
    pub fn padded(&self, before: SignedDuration, after: SignedDuration) -> Self {
        Self {
            starts_at: self.starts_at.checked_sub(before).unwrap_or(Timestamp::MIN),
            ends_at: self.ends_at.checked_add(after).unwrap_or(Timestamp::MAX),
        }
    }

    /// The part of `self` inside of `window`, if any.
    #[must_use]
    pub fn within(&self, window: &Self) -> Option<Self> {
        Self::new(self.starts_at.max(window.starts_at), self.ends_at.min(window.ends_at)).ok()
    }

    /// What of `self` no slot of `taken` covers, in order. `taken` may overlap each other and be in any order.
    #[must_use]
    pub fn minus(&self, taken: &[Self]) -> Vec<Self> {
        let mut taken: Vec<_> = taken.iter().filter(|slot| slot.overlaps(self)).collect();
        taken.sort();
        let mut free = Vec::new();
        let mut from = self.starts_at;
        for slot in taken {
            free.extend(Self::new(from, slot.starts_at).ok());
            from = from.max(slot.ends_at);
        }
        free.extend(Self::new(from, self.ends_at).ok());
        free
    }
}

impl TryFrom<Ends> for Slot {
    type Error = SlotError;

    fn try_from(ends: Ends) -> Result<Self, SlotError> {
        Self::new(ends.starts_at, ends.ends_at)
    }
}

impl From<Slot> for Ends {
    fn from(slot: Slot) -> Self {
        Self { starts_at: slot.starts_at, ends_at: slot.ends_at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn slot() -> impl Strategy<Value = Slot> {
        (0i64..200, 1i64..50).prop_map(|(start, length)| Slot::new(at(start), at(start + length)).unwrap())
    }

    #[test]
    fn empty_negative_and_endless_are_refused() {
        assert_eq!(Slot::new(at(1), at(1)), Err(SlotError::Empty));
        assert_eq!(Slot::new(at(2), at(1)), Err(SlotError::Empty));
        assert_eq!(Slot::new(at(0), Timestamp::MAX), Err(SlotError::TooLong));
    }

    #[test]
    fn touching_is_not_overlapping() {
        let morning = Slot::new(at(0), at(10)).unwrap();
        let noon = Slot::new(at(10), at(20)).unwrap();
        assert!(!morning.overlaps(&noon) && !noon.overlaps(&morning));
    }

    proptest! {
        /// Second by second, `minus` says free exactly where no taken slot lies.
        #[test]
        fn minus_agrees_with_counting(window in slot(), taken in prop::collection::vec(slot(), 0..8)) {
            let free = window.minus(&taken);
            for second in 0..250 {
                let instant = Slot::new(at(second), at(second + 1)).unwrap();
                let expected = instant.overlaps(&window) && !taken.iter().any(|slot| slot.overlaps(&instant));
                prop_assert_eq!(free.iter().any(|slot| slot.overlaps(&instant)), expected);
            }
            prop_assert!(free.windows(2).all(|pair| pair[0].ends_at() < pair[1].starts_at()));
        }
    }
}
