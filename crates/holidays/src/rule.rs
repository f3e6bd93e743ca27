//! One rule of the file: on which days a holiday is.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::{YEARS, easter};

/// The days that a rule gives; none of what cannot be read.
pub fn dates(rule: &str) -> Vec<Date> {
    if let Some((span, rule)) = rule.split_once(':') {
        let years = span.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        return years.map_or_else(Vec::new, |(from, to)| yearly(rule, from..=to));
    }
    if rule.len() > 9 {
        return rule.split(',').filter_map(|date| date.parse().ok()).collect();
    }
    yearly(rule, YEARS)
}

fn yearly(rule: &str, years: std::ops::RangeInclusive<i16>) -> Vec<Date> {
    years.filter_map(|year| in_year(rule, year)).collect()
}

fn in_year(rule: &str, year: i16) -> Option<Date> {
    if let Some(days) = rule.strip_prefix('E') {
        return easter::western(year)?.checked_add(days.parse::<i64>().ok()?.days()).ok();
    }
    if let Some(days) = rule.strip_prefix('O') {
        return easter::orthodox(year)?.checked_add(days.parse::<i64>().ok()?.days()).ok();
    }
    if let Some((month, day)) = rule.split_once('-').filter(|_| !rule.contains('/')) {
        return Date::new(year, month.parse().ok()?, day.parse().ok()?).ok();
    }
    let mut parts = rule.split('/');
    let (month, nth, day) = (parts.next()?, parts.next()?, parts.next()?);
    let weekday = Weekday::from_monday_one_offset(day.parse().ok()?).ok()?;
    Date::new(year, month.parse().ok()?, 1).ok()?.nth_weekday_of_month(nth.parse().ok()?, weekday).ok()
}
