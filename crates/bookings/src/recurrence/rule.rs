//! A recurrence rule of RFC 5545, and whether it admits a day.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::local::resolve;

/// How often the period of a rule comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week, from the rule's first day of the week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

/// The last moment of a rule; an occurrence at that very moment is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// By the clock on the wall; of a date alone its last second.
    Local(DateTime),
    /// An instant.
    Instant(Timestamp),
}

impl Until {
    /// Whether an occurrence is after it.
    #[must_use]
    pub fn is_before(&self, local: DateTime, zone: &TimeZone) -> bool {
        match self {
            Self::Local(until) => *until < local,
            Self::Instant(until) => resolve(local, zone).is_none_or(|(at, _)| *until < at),
        }
    }
}

/// A rule. Negative numbers count from the end; an empty set says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its period.
    pub frequency: Frequency,
    /// Every so many periods.
    pub interval: u16,
    /// So many occurrences.
    pub count: Option<u32>,
    /// No occurrence after this.
    pub until: Option<Until>,
    /// Months of the year.
    pub months: BTreeSet<i16>,
    /// Weeks of the year, as ISO 8601 counts them from the first day of the week.
    pub weeks: BTreeSet<i16>,
    /// Days of the year.
    pub year_days: BTreeSet<i16>,
    /// Days of the month.
    pub month_days: BTreeSet<i16>,
    /// Days of the week, each, or one of those in the month or year.
    pub weekdays: Vec<(Option<i16>, Weekday)>,
    /// Places in what a period has.
    pub positions: BTreeSet<i16>,
    /// The first day of the week.
    pub week_start: Weekday,
}

impl Rule {
    /// With what the start says where the rule itself says nothing.
    #[must_use]
    pub(super) fn completed(mut self, start: Date) -> Self {
        let says_day = !(self.weekdays.is_empty() && self.month_days.is_empty() && self.year_days.is_empty());
        if says_day {
            return self;
        }
        match self.frequency {
            Frequency::Daily => {}
            Frequency::Weekly => self.weekdays = vec![(None, start.weekday())],
            Frequency::Yearly if !self.weeks.is_empty() => self.weekdays = vec![(None, start.weekday())],
            Frequency::Monthly => self.month_days = [i16::from(start.day())].into(),
            Frequency::Yearly => {
                if self.months.is_empty() {
                    self.months = [i16::from(start.month())].into();
                }
                self.month_days = [i16::from(start.day())].into();
            }
        }
        self
    }

    /// Whether a day of one of its periods is one of its days, before places are counted.
    #[must_use]
    pub(super) fn admits(&self, date: Date) -> bool {
        let (day, of_month) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let (day_of_year, of_year) = (date.day_of_year(), date.days_in_year());
        let has = |set: &BTreeSet<i16>, number: i16, all: i16| {
            set.is_empty() || set.contains(&number) || set.contains(&(number - all - 1))
        };
        let in_weeks = || {
            let (week, all) = week_of(date, self.week_start);
            has(&self.weeks, week, all)
        };
        (self.months.is_empty() || self.months.contains(&i16::from(date.month())))
            && has(&self.month_days, day, of_month)
            && has(&self.year_days, day_of_year, of_year)
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|one| self.is_on(date, *one)))
            && (self.weeks.is_empty() || in_weeks())
    }

    /// Whether a day is this weekday, and the one of the month or year that is meant.
    fn is_on(&self, date: Date, (ordinal, weekday): (Option<i16>, Weekday)) -> bool {
        let in_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (day, all) = if in_month {
            (i16::from(date.day()), i16::from(date.days_in_month()))
        } else {
            (date.day_of_year(), date.days_in_year())
        };
        let (from_start, from_end) = ((day - 1) / 7 + 1, -((all - day) / 7 + 1));
        date.weekday() == weekday
            && ordinal.is_none_or(|ordinal| ordinal == from_start || ordinal == from_end)
    }
}

/// The first day of the week of a day.
pub(super) fn start_of_week(date: Date, first: Weekday) -> Date {
    date.saturating_sub(i64::from(first.until(date.weekday())).days())
}

/// The number of the week of a day, and how many weeks that week's year has. A week belongs to the year that has four or
/// more of its days, which is the year of its fourth.
fn week_of(date: Date, first: Weekday) -> (i16, i16) {
    let start = start_of_week(date, first);
    let year = start.saturating_add(3.days()).year();
    // The fourth of January is always in the first week.
    let of = |year: i16| start_of_week(Date::new(year, 1, 4).unwrap_or(date), first);
    let weeks = |from: Date, to: Date| i16::try_from((to - from).get_days() / 7).unwrap_or(0);
    let begins = of(year);
    (weeks(begins, start) + 1, weeks(begins, of(year.saturating_add(1))))
}
