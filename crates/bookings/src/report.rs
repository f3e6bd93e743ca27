//! What a booking adds to reports: sums by day, resource and group, which a change takes back and adds anew. Pure.

pub mod rows;

use std::collections::BTreeMap;

use contracts::bookings::{Booking, BookingStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use kernel::{GroupId, ResourceId, Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Of a booking, the hours of so much time are counted at most.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// The lengths of time that lead times and notices are told apart by.
pub const BUCKETS: [&str; 7] =
    ["after_start", "under_1_hour", "under_1_day", "under_3_days", "under_7_days", "under_30_days", "longer"];

/// What is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Bookings that stand or stood, by the day of their start.
    Bookings,
    /// Those that are over, used or not.
    Finished,
    /// Those to which nobody came.
    NoShows,
    /// Those that were given up, by how long before the start.
    Cancellations,
    /// Those that stand or stood, by how long before the start they were made.
    LeadTimes,
    /// Seconds booked, by hour of the day.
    Booked,
    /// Seconds used, from check-in to check-out, by hour of the day.
    Used,
}

impl Measure {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bookings => "bookings",
            Self::Finished => "finished",
            Self::NoShows => "no_shows",
            Self::Cancellations => "cancellations",
            Self::LeadTimes => "lead_times",
            Self::Booked => "booked",
            Self::Used => "used",
        }
    }
}

/// A sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What is summed up.
    pub measure: Measure,
    /// Of whose bookings; nil: everybody's.
    pub group_id: Uuid,
    /// On which day.
    pub day: Date,
    /// Of which resource.
    pub resource_id: ResourceId,
    /// An hour of the day, or the place of a length of time in [`BUCKETS`].
    pub bucket: i16,
}

/// What is counted of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The booking as it is.
    pub booking: Booking,
    /// The groups of its owner when it became theirs.
    pub groups: Vec<GroupId>,
    /// When it was given up, if it was more than a hold.
    pub cancelled_at: Option<Timestamp>,
}

impl Fact {
    /// What it adds to which sums. A booking of several resources counts at each, one of several units with each of them.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Key, i64> {
        let mut counts = BTreeMap::new();
        let everybody = [Uuid::nil()];
        for group_id in everybody.into_iter().chain(self.groups.iter().map(|group| group.0)) {
            for resource in &self.booking.resources {
                let zone = TimeZone::get(&resource.time_zone).unwrap_or(TimeZone::UTC);
                let units = i64::from(resource.units);
                let mut add = |measure, day, bucket, amount| {
                    let resource_id = resource.resource_id;
                    let key = Key { measure, group_id, day, resource_id, bucket };
                    *counts.entry(key).or_insert(0) += amount;
                };
                self.add_events(zone.to_datetime(self.booking.slot.starts_at()).date(), &mut add);
                for (measure, slot) in self.times() {
                    for (day, hour, seconds) in hours(&slot, &zone) {
                        add(measure, day, i16::from(hour), seconds * units);
                    }
                }
            }
        }
        counts
    }

    fn add_events(&self, day: Date, add: &mut impl FnMut(Measure, Date, i16, i64)) {
        let (status, starts_at) = (self.booking.status, self.booking.slot.starts_at());
        if self.stood() {
            add(Measure::Bookings, day, 0, 1);
            if let Some(made_at) = self.booking.created_at {
                add(Measure::LeadTimes, day, bucket(starts_at.duration_since(made_at)), 1);
            }
        }
        if matches!(status, BookingStatus::Completed | BookingStatus::NoShow) {
            add(Measure::Finished, day, 0, 1);
        }
        if status == BookingStatus::NoShow {
            add(Measure::NoShows, day, 0, 1);
        }
        if let Some(at) = self.cancelled_at.filter(|_| status == BookingStatus::Cancelled) {
            add(Measure::Cancellations, day, bucket(starts_at.duration_since(at)), 1);
        }
    }

    /// The times that it was booked for, and used.
    fn times(&self) -> impl Iterator<Item = (Measure, Slot)> {
        let booking = &self.booking;
        let booked = self.stood().then_some((Measure::Booked, booking.slot));
        let came_at = booking.checked_in_at.filter(|_| booking.status == BookingStatus::Completed);
        let used = came_at.and_then(|at| {
            let left_at = booking.released_at.unwrap_or_else(|| booking.slot.ends_at());
            Some((Measure::Used, Slot::new(at.max(booking.slot.starts_at()), left_at).ok()?))
        });
        booked.into_iter().chain(used)
    }

    const fn stood(&self) -> bool {
        use BookingStatus as Status;
        matches!(
            self.booking.status,
            Status::Confirmed | Status::CheckedIn | Status::Completed | Status::NoShow
        )
    }
}

/// What has to be added to sums that hold `before`, so that they hold `after`.
#[must_use]
pub fn difference(before: Option<&Fact>, after: &Fact) -> BTreeMap<Key, i64> {
    let mut difference = after.counts();
    for (key, amount) in before.map(Fact::counts).unwrap_or_default() {
        *difference.entry(key).or_insert(0) -= amount;
    }
    difference.retain(|_, amount| *amount != 0);
    difference
}

/// The place of a length of time before the start in [`BUCKETS`].
#[must_use]
pub fn bucket(before: SignedDuration) -> i16 {
    match before.as_secs() {
        ..0 => 0,
        0..3600 => 1,
        3600..86_400 => 2,
        86_400..259_200 => 3,
        259_200..604_800 => 4,
        604_800..2_592_000 => 5,
        _ => 6,
    }
}

/// The seconds of a slot by the day and hour of a zone's clock.
#[must_use]
pub fn hours(slot: &Slot, zone: &TimeZone) -> Vec<(Date, u8, i64)> {
    let mut hours = Vec::new();
    let ends_at = slot.ends_at().min(slot.starts_at().saturating_add(LONGEST).unwrap_or(Timestamp::MAX));
    let mut at = slot.starts_at();
    while at < ends_at {
        let clock = zone.to_datetime(at);
        let into = i64::from(clock.minute()) * 60 + i64::from(clock.second());
        // The parts of a second before the first whole one are nobody's.
        let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let next = whole.checked_add((3600 - into).seconds()).unwrap_or(ends_at).min(ends_at);
        let seconds = next.as_second() - at.as_second();
        hours.push((clock.date(), u8::try_from(clock.hour()).unwrap_or(0), seconds));
        at = next;
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_clock_across_its_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // At 02:00 the clock goes forward to 03:00.
        let slot =
            Slot::new("2026-03-29T00:30:00Z".parse().unwrap(), "2026-03-29T02:15:00Z".parse().unwrap());
        let hours = hours(&slot.unwrap(), &zone);
        let hours: Vec<(u8, i64)> = hours.into_iter().map(|(_, hour, seconds)| (hour, seconds)).collect();
        assert_eq!(hours, [(1, 1800), (3, 3600), (4, 900)]);
    }

    #[test]
    fn lengths_of_time_have_their_bucket() {
        let name = |seconds| BUCKETS[usize::try_from(bucket(SignedDuration::from_secs(seconds))).unwrap()];
        assert_eq!(
            [-1, 0, 3600, 86_400, 2_592_000].map(name),
            ["after_start", "under_1_hour", "under_1_day", "under_3_days", "longer"]
        );
    }
}
