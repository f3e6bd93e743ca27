//! Reading a rule: everything that RFC 5545 says must not be is refused, and so is what we do not do, each by its name.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::rule::{Frequency, Rule, Until};

/// The greatest `INTERVAL`.
const WIDEST: u16 = 1000;

/// Why a text is no rule of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// More often than daily.
    #[error("{0} is more often than daily; a series has one time of day. Use several series.")]
    SubDaily(String),
    /// How often is not said.
    #[error("The rule has no FREQ.")]
    NoFrequency,
    /// A part that no rule has, or that stands there twice.
    #[error("{0} is not a part of a rule, or stands there twice.")]
    Part(String),
    /// A value that the part cannot have.
    #[error("{part} cannot be {value}.")]
    Value {
        /// The part.
        part: String,
        /// What was given.
        value: String,
    },
    /// Two ends.
    #[error("A rule has COUNT or UNTIL, not both.")]
    CountAndUntil,
    /// Parts that do not go together.
    #[error("{part} does not go with {with}.")]
    Together {
        /// The part.
        part: &'static str,
        /// The other.
        with: &'static str,
    },
}

impl RuleError {
    /// Its code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SubDaily(_) => "sub_daily",
            Self::CountAndUntil => "count_and_until",
            Self::NoFrequency | Self::Part(_) | Self::Value { .. } | Self::Together { .. } => "invalid_rule",
        }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Reads `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`, in any order of parts and any case, with or without `RRULE:`.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: BTreeSet::new(),
            weeks: BTreeSet::new(),
            year_days: BTreeSet::new(),
            month_days: BTreeSet::new(),
            weekdays: Vec::new(),
            positions: BTreeSet::new(),
            week_start: Weekday::Monday,
        };
        let mut seen = BTreeSet::new();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or_else(|| RuleError::Part(part.to_owned()))?;
            if !seen.insert(name) {
                return Err(RuleError::Part(name.to_owned()));
            }
            rule.read(name, value)?;
        }
        if !seen.contains("FREQ") {
            return Err(RuleError::NoFrequency);
        }
        rule.check()?;
        Ok(rule)
    }
}

impl Rule {
    fn read(&mut self, name: &str, value: &str) -> Result<(), RuleError> {
        let wrong = || RuleError::Value { part: name.to_owned(), value: value.to_owned() };
        match name {
            "FREQ" => {
                self.frequency = match value {
                    "DAILY" => Frequency::Daily,
                    "WEEKLY" => Frequency::Weekly,
                    "MONTHLY" => Frequency::Monthly,
                    "YEARLY" => Frequency::Yearly,
                    "HOURLY" | "MINUTELY" | "SECONDLY" => {
                        return Err(RuleError::SubDaily(format!("FREQ={value}")));
                    }
                    _ => return Err(wrong()),
                };
            }
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => return Err(RuleError::SubDaily(name.to_owned())),
            "INTERVAL" => {
                self.interval = digits(value).filter(|n| (1..=WIDEST).contains(n)).ok_or_else(wrong)?;
            }
            "COUNT" => self.count = Some(digits(value).filter(|n| *n >= 1).ok_or_else(wrong)?),
            "UNTIL" => self.until = Some(until(value).ok_or_else(wrong)?),
            "BYMONTH" => self.months = numbers(value, 12, false).ok_or_else(wrong)?,
            "BYWEEKNO" => self.weeks = numbers(value, 53, true).ok_or_else(wrong)?,
            "BYYEARDAY" => self.year_days = numbers(value, 366, true).ok_or_else(wrong)?,
            "BYMONTHDAY" => self.month_days = numbers(value, 31, true).ok_or_else(wrong)?,
            "BYSETPOS" => self.positions = numbers(value, 366, true).ok_or_else(wrong)?,
            "BYDAY" => {
                self.weekdays = value.split(',').map(ordinal_day).collect::<Option<_>>().ok_or_else(wrong)?;
            }
            "WKST" => self.week_start = weekday(value).ok_or_else(wrong)?,
            _ => return Err(RuleError::Part(name.to_owned())),
        }
        Ok(())
    }

    /// What RFC 5545, section 3.3.10, says must not stand together.
    fn check(&self) -> Result<(), RuleError> {
        use Frequency::{Daily, Monthly, Weekly, Yearly};
        if self.count.is_some() && self.until.is_some() {
            return Err(RuleError::CountAndUntil);
        }
        let has_ordinals = self.weekdays.iter().any(|(ordinal, _)| ordinal.is_some());
        let says_nothing = self.months.is_empty()
            && self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty();
        let frequency = self.frequency;
        let of_frequency = match frequency {
            Daily => "FREQ=DAILY",
            Weekly => "FREQ=WEEKLY",
            Monthly => "FREQ=MONTHLY",
            Yearly => "FREQ=YEARLY",
        };
        let checks = [
            (!self.weeks.is_empty() && frequency != Yearly, "BYWEEKNO", of_frequency),
            (!self.year_days.is_empty() && frequency != Yearly, "BYYEARDAY", of_frequency),
            (!self.month_days.is_empty() && frequency == Weekly, "BYMONTHDAY", of_frequency),
            (has_ordinals && matches!(frequency, Daily | Weekly), "BYDAY with numbers", of_frequency),
            (has_ordinals && !self.weeks.is_empty(), "BYDAY with numbers", "BYWEEKNO"),
            (!self.positions.is_empty() && says_nothing, "BYSETPOS", "no other BY… part"),
        ];
        match checks.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, part, with)) => Err(RuleError::Together { part, with }),
            None => Ok(()),
        }
    }
}

/// A number of digits alone: no sign, no blanks.
fn digits<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A number that is not zero, with a sign before it where negative ones count from the end.
fn signed(text: &str, most: i16) -> Option<i16> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number: i16 = digits(rest)?;
    (1..=most).contains(&number).then_some(sign * number)
}

fn numbers(text: &str, most: i16, from_end: bool) -> Option<BTreeSet<i16>> {
    text.split(',').map(|one| signed(one, most).filter(|number| from_end || *number > 0)).collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

/// `MO`, `2MO`, `-1FR`.
fn ordinal_day(text: &str) -> Option<(Option<i16>, Weekday)> {
    let (ordinal, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let ordinal = if ordinal.is_empty() { None } else { Some(signed(ordinal, 53)?) };
    Some((ordinal, weekday(day)?))
}

/// `19971224`, `19971224T000000` or `19971224T000000Z`.
fn until(text: &str) -> Option<Until> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let number = |text: &str, from: usize, to: usize| digits::<i8>(text.get(from..to)?);
    let year: i16 = digits(date.get(..4)?)?;
    let date = Date::new(year, number(date, 4, 6)?, number(date, 6, 8)?).ok().filter(|_| date.len() == 8)?;
    let Some(time) = time else {
        return Some(Until::Local(date.to_datetime(Time::constant(23, 59, 59, 0))));
    };
    let (clock, is_utc) = time.strip_suffix('Z').map_or((time, false), |clock| (clock, true));
    let time = Time::new(number(clock, 0, 2)?, number(clock, 2, 4)?, number(clock, 4, 6)?, 0)
        .ok()
        .filter(|_| clock.len() == 6)?;
    let local: DateTime = date.to_datetime(time);
    if is_utc {
        return Some(Until::Instant(TimeZone::UTC.to_timestamp(local).ok()?));
    }
    Some(Until::Local(local))
}
