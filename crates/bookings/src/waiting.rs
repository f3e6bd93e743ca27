//! Somebody who waits for a time that is taken. Pure.

use jiff::{SignedDuration, Timestamp};
use kernel::{BookingId, Slot, UserId, WaitlistEntryId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::booking::Wanted;

/// Where an entry is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = WaitlistStatus)]
pub enum WaitlistStatus {
    /// Nothing is free yet.
    Waiting,
    /// A hold is offered.
    Offered,
    /// The offer was taken.
    Accepted,
    /// Given up.
    Withdrawn,
    /// The offer was not taken in time, or nothing became free before the time came.
    Expired,
}

impl WaitlistStatus {
    /// Its name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// A place in a waitlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: WaitlistEntryId,
    /// Who waits.
    pub user_id: UserId,
    /// Who asked for it.
    pub created_by: UserId,
    /// What it is for.
    pub title: Option<String>,
    /// How many people come.
    pub attendees: Option<i32>,
    /// What they want, all of it together.
    pub resources: Vec<Wanted>,
    /// When.
    pub slot: Slot,
    /// A part of the time, of so many minutes at least, is welcome as well.
    pub accept_minutes: Option<i32>,
    /// Greater ones go first.
    pub priority: i32,
    /// Where it is in its life.
    pub status: WaitlistStatus,
    /// The hold that is offered, or was taken.
    pub booking_id: Option<BookingId>,
    /// When it was made; of equal priority the earlier goes first.
    pub created_at: Timestamp,
}

impl Entry {
    /// The times that would do, best first, given when all that is wanted is free: the whole, or the longest part.
    #[must_use]
    pub fn fitting(&self, free: &[Slot], now: Timestamp) -> Option<Slot> {
        let wanted = Slot::new(self.slot.starts_at().max(now), self.slot.ends_at()).ok()?;
        if free.iter().any(|free| self.slot.within(free) == Some(self.slot)) && self.slot.starts_at() >= now {
            return Some(self.slot);
        }
        let least = SignedDuration::from_mins(i64::from(self.accept_minutes?));
        let parts = free.iter().filter_map(|free| wanted.within(free));
        parts
            .filter(|part| part.duration() >= least)
            .max_by_key(|part| (part.duration(), std::cmp::Reverse(*part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(from: i64, to: i64) -> Slot {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        Slot::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn the_whole_is_better_than_the_longest_part_that_is_long_enough() {
        let entry = Entry {
            id: WaitlistEntryId::mint(),
            user_id: UserId::mint(),
            created_by: UserId::mint(),
            title: None,
            attendees: None,
            resources: Vec::new(),
            slot: slot(60, 120),
            accept_minutes: Some(20),
            priority: 0,
            status: WaitlistStatus::Waiting,
            booking_id: None,
            created_at: slot(0, 1).starts_at(),
        };
        let now = slot(0, 1).starts_at();
        assert_eq!(entry.fitting(&[slot(0, 200)], now), Some(slot(60, 120)));
        assert_eq!(entry.fitting(&[slot(0, 80), slot(85, 110)], now), Some(slot(85, 110)));
        assert_eq!(entry.fitting(&[slot(0, 79)], now), None);
        let whole_only = Entry { accept_minutes: None, ..entry };
        assert_eq!(whole_only.fitting(&[slot(61, 200)], now), None);
    }
}
