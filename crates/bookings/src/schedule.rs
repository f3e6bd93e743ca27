//! When a resource is open, as instants: opening hours by the clock of its zone, also across a change of clocks. Pure.

use contracts::rules::{Hours, Schedule, Weekday};
use holidays::Calendar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use kernel::Slot;
use serde::Serialize;
use utoipa::ToSchema;

/// The intervals of a window in which it is open, in order; those that touch are one.
///
/// An opening or closing time that the clocks skip is as late as the gap is long; one that happens twice is the first.
#[must_use]
pub fn open(schedule: &Schedule, zone: &TimeZone, window: &Slot) -> Vec<Slot> {
    let last = zone.to_datetime(window.ends_at()).date();
    // Hours of the day before may run past midnight.
    let mut date = zone.to_datetime(window.starts_at()).date().saturating_sub(1.day());
    let mut open = Vec::new();
    let calendar = calendar(schedule);
    while date <= last {
        let slots =
            hours(schedule, calendar, date).filter_map(|hours| slot(hours, date, zone)?.within(window));
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

/// A day on which other hours than those of the week apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpecialDay {
    /// The day, by the clock of the resource.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// Why: what the override is called, or the holiday.
    #[schema(example = "Assumption Day")]
    pub name: Option<String>,
    /// What says so.
    pub kind: SpecialDayKind,
    /// The hours; none: closed.
    pub hours: Vec<Hours>,
}

/// What says that other hours apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpecialDayKind {
    /// An override of the schedule.
    Override,
    /// A public holiday.
    Holiday,
}

/// The days of a window, by the clock of a zone, on which other hours than those of the week apply.
#[must_use]
pub fn special_days(schedule: &Schedule, zone: &TimeZone, window: &Slot) -> Vec<SpecialDay> {
    let last = zone.to_datetime(window.ends_at() - SignedDuration::from_micros(1)).date();
    let first = zone.to_datetime(window.starts_at()).date();
    let calendar = calendar(schedule);
    let dates = first.series(1.day()).take_while(|date| *date <= last);
    dates.filter_map(|date| special(schedule, calendar, date)).collect()
}

/// The holidays that a schedule goes by.
fn calendar(schedule: &Schedule) -> Option<&'static Calendar> {
    let holidays = schedule.holidays.as_ref()?;
    Calendar::of(&holidays.country, holidays.region.as_deref())
}

/// What applies on a day instead of the week: an override before a holiday.
fn special(schedule: &Schedule, calendar: Option<&Calendar>, date: Date) -> Option<SpecialDay> {
    let named = schedule.overrides.iter().rev().find(|one| (one.from..=one.until).contains(&date));
    if let Some(one) = named {
        let (name, hours) = (one.name.clone(), one.hours.clone());
        return Some(SpecialDay { date, name, kind: SpecialDayKind::Override, hours });
    }
    let (holidays, names) = schedule.holidays.as_ref().zip(calendar?.on(date))?;
    let (name, hours) = (Some(names.join(", ")), holidays.hours.clone());
    Some(SpecialDay { date, name, kind: SpecialDayKind::Holiday, hours })
}

fn hours(schedule: &Schedule, calendar: Option<&Calendar>, date: Date) -> impl Iterator<Item = Hours> {
    let special = special(schedule, calendar, date);
    let is_usual = special.is_none();
    let weekly = schedule.weekly.iter();
    let weekly = weekly.filter(move |weekly| is_usual && weekly.days.iter().any(|day| is_on(*day, date)));
    weekly.map(|weekly| weekly.hours).chain(special.into_iter().flat_map(|one| one.hours))
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
mod tests;
