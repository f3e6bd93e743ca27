//! The occurrences of a rule: period by period, the days that it admits, and of these the places that it wants.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::rule::{Frequency, Rule, start_of_week};

/// Where an expansion ends, whatever the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// After so many occurrences.
    pub most: usize,
    /// After this time.
    pub last: DateTime,
}

/// Why an expansion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The rule has no more.
    Rule,
    /// There would be more than the most.
    Most,
    /// What comes next is after the last time, or there is nothing until then.
    Window,
}

/// The starts of a rule in order, and why there are no more. Periods without any day are gone through until the end of the
/// window: a rule that never matches ends there.
#[must_use]
pub fn expand(rule: &Rule, start: DateTime, zone: &TimeZone, bounds: Bounds) -> (Vec<DateTime>, End) {
    let rule = rule.clone().completed(start.date());
    let mut starts = Vec::new();
    let mut period = Some(first_period(&rule, start.date()));
    while let Some(first) = period {
        if first > bounds.last.date() {
            return (starts, End::Window);
        }
        // A period that begins after the end of the rule, a day for the change of clocks left aside, has nothing.
        let yesterday = first.saturating_sub(1.day()).to_datetime(start.time());
        if rule.until.is_some_and(|until| until.is_before(yesterday, zone)) {
            return (starts, End::Rule);
        }
        for date in days(&rule, first) {
            let at = date.to_datetime(start.time());
            if at < start {
                continue;
            }
            if rule.until.is_some_and(|until| until.is_before(at, zone)) {
                return (starts, End::Rule);
            }
            if at > bounds.last {
                return (starts, End::Window);
            }
            if starts.len() >= bounds.most {
                return (starts, End::Most);
            }
            starts.push(at);
            if rule.count.is_some_and(|count| starts.len() >= usize::try_from(count).unwrap_or(usize::MAX)) {
                return (starts, End::Rule);
            }
        }
        period = advanced(&rule, first, i64::from(rule.interval));
    }
    (starts, End::Window)
}

/// The first day of the period that a day is in.
fn first_period(rule: &Rule, date: Date) -> Date {
    match rule.frequency {
        Frequency::Daily => date,
        Frequency::Weekly => start_of_week(date, rule.week_start),
        Frequency::Monthly => date.first_of_month(),
        Frequency::Yearly => date.first_of_year(),
    }
}

/// The first day of the period that is so many later; none after the end of time.
fn advanced(rule: &Rule, first: Date, periods: i64) -> Option<Date> {
    let span = match rule.frequency {
        Frequency::Daily => periods.days(),
        Frequency::Weekly => periods.weeks(),
        Frequency::Monthly => periods.months(),
        Frequency::Yearly => periods.years(),
    };
    first.checked_add(span).ok()
}

/// The days of a period that the rule wants, in order.
fn days(rule: &Rule, first: Date) -> Vec<Date> {
    let after = advanced(rule, first, 1).unwrap_or(Date::MAX);
    let all = std::iter::successors(Some(first), |date| date.tomorrow().ok());
    let admitted: Vec<Date> =
        all.take_while(|date| *date < after).filter(|date| rule.admits(*date)).collect();
    if rule.positions.is_empty() {
        return admitted;
    }
    let count = i16::try_from(admitted.len()).unwrap_or(i16::MAX);
    let wanted =
        |place: i16| rule.positions.contains(&place) || rule.positions.contains(&(place - count - 1));
    let numbered = admitted.into_iter().zip(1i16..);
    numbered.filter(|(_, place)| wanted(*place)).map(|(date, _)| date).collect()
}
