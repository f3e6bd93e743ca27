//! When a resource is open, as instants: opening hours by the clock of its zone, also across a change of clocks. Pure.

use contracts::rules::{Hours, Schedule, Weekday};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::Slot;

/// The intervals of a window in which it is open, in order; those that touch are one.
///
/// An opening or closing time that the clocks skip is as late as the gap is long; one that happens twice is the first.
#[must_use]
pub fn open(schedule: &Schedule, zone: &TimeZone, window: &Slot) -> Vec<Slot> {
    let last = zone.to_datetime(window.ends_at()).date();
    // Hours of the day before may run past midnight.
    let mut date = zone.to_datetime(window.starts_at()).date().saturating_sub(1.day());
    let mut open = Vec::new();
    while date <= last {
        let slots = hours(schedule, date).filter_map(|hours| slot(hours, date, zone)?.within(window));
        open.extend(slots);
        match date.tomorrow() {
            Ok(tomorrow) => date = tomorrow,
            Err(_) => break,
        }
    }
    merged(open)
}

/// Whether it is open for all of a slot.
#[must_use]
pub fn covers(schedule: &Schedule, zone: &TimeZone, slot: &Slot) -> bool {
    open(schedule, zone, slot) == [*slot]
}

/// Hours of a day as a slot.
pub(crate) fn slot(hours: Hours, date: Date, zone: &TimeZone) -> Option<Slot> {
    let closing = if hours.closes <= hours.opens { date.tomorrow().ok()? } else { date };
    let instant = |date: Date, time| -> Option<Timestamp> {
        zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()
    };
    Slot::new(instant(date, hours.opens)?, instant(closing, hours.closes)?).ok()
}

fn hours(schedule: &Schedule, date: Date) -> impl Iterator<Item = Hours> {
    let special = schedule.overrides.iter().rev().find(|one| (one.from..=one.until).contains(&date));
    let weekly = schedule
        .weekly
        .iter()
        .filter(move |weekly| special.is_none() && weekly.days.iter().any(|day| is_on(*day, date)));
    weekly.map(|weekly| weekly.hours).chain(special.into_iter().flat_map(|one| one.hours.iter().copied()))
}

/// Whether a date is on a weekday.
pub(crate) fn is_on(day: Weekday, date: Date) -> bool {
    let number = match day {
        Weekday::Monday => 1,
        Weekday::Tuesday => 2,
        Weekday::Wednesday => 3,
        Weekday::Thursday => 4,
        Weekday::Friday => 5,
        Weekday::Saturday => 6,
        Weekday::Sunday => 7,
    };
    date.weekday().to_monday_one_offset() == number
}

fn merged(mut slots: Vec<Slot>) -> Vec<Slot> {
    slots.sort();
    let mut merged: Vec<Slot> = Vec::new();
    for slot in slots {
        match merged.last_mut() {
            Some(last) if slot.starts_at() <= last.ends_at() => {
                *last = Slot::new(last.starts_at(), last.ends_at().max(slot.ends_at())).unwrap_or(*last);
            }
            _ => merged.push(slot),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn intervals(schedule: Value, zone: &str, from: &str, to: &str) -> Vec<(String, String)> {
        let schedule = serde_json::from_value(schedule).unwrap();
        let window = Slot::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
        open(&schedule, &TimeZone::get(zone).unwrap(), &window)
            .iter()
            .map(|slot| (slot.starts_at().to_string(), slot.ends_at().to_string()))
            .collect()
    }

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.into(), to.into())
    }

    #[test]
    fn hours_follow_the_clock_across_its_change() {
        let schedule = json!({ "weekly": [{ "days": ["saturday", "sunday", "monday"], "opens": "08:00", "closes": "18:00" }] });
        // Clocks go forward on Sunday, 2026-03-29.
        assert_eq!(
            intervals(schedule, "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
            [
                pair("2026-03-28T07:00:00Z", "2026-03-28T17:00:00Z"),
                pair("2026-03-29T06:00:00Z", "2026-03-29T16:00:00Z"),
                pair("2026-03-30T06:00:00Z", "2026-03-30T12:00:00Z"),
            ]
        );
    }

    #[test]
    fn nights_run_past_midnight_and_full_days_join() {
        let night = json!({ "weekly": [{ "days": ["friday"], "opens": "22:00", "closes": "06:00" }] });
        assert_eq!(
            intervals(night, "UTC", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"),
            [pair("2026-03-07T00:00:00Z", "2026-03-07T06:00:00Z")]
        );
        let always =
            json!({ "weekly": [{ "days": ["friday", "saturday"], "opens": "00:00", "closes": "00:00" }] });
        assert_eq!(
            intervals(always, "UTC", "2026-03-06T10:00:00Z", "2026-03-09T00:00:00Z"),
            [pair("2026-03-06T10:00:00Z", "2026-03-08T00:00:00Z")]
        );
    }

    #[test]
    fn an_override_stands_for_the_week() {
        let schedule = json!({
            "weekly": [{ "days": ["friday"], "opens": "08:00", "closes": "18:00" }],
            "overrides": [{ "from": "2026-12-24", "until": "2026-12-26" },
                          { "from": "2026-12-24", "until": "2026-12-24", "hours": [{ "opens": "08:00", "closes": "12:00" }] }]
        });
        assert_eq!(
            intervals(schedule, "UTC", "2026-12-24T00:00:00Z", "2026-12-27T00:00:00Z"),
            [pair("2026-12-24T08:00:00Z", "2026-12-24T12:00:00Z")]
        );
    }
}
