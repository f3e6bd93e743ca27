//! How much one may have: over which time a quota counts. Pure.

use contracts::rules::{Measure, Period};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::Slot;

use crate::rules::ScopedQuota;

/// The time within which bookings that start count together with one that starts then; none: all that are not over.
#[must_use]
pub fn window(period: Period, starts_at: Timestamp, zone: &TimeZone) -> Option<Slot> {
    let date = zone.to_datetime(starts_at).date();
    let (first, after) = match period {
        Period::AtOnce => return None,
        Period::Day => (date, date.checked_add(1.day()).ok()?),
        Period::Week => {
            let monday = date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()?;
            (monday, monday.checked_add(7.days()).ok()?)
        }
        Period::Month => (date.first_of_month(), date.first_of_month().checked_add(1.month()).ok()?),
    };
    let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    Slot::new(midnight(first)?, midnight(after)?).ok()
}

/// What people read when a quota is used up.
#[must_use]
pub fn detail(quota: &ScopedQuota, used: i64) -> String {
    let what = match quota.quota.measure {
        Measure::Count => "bookings",
        Measure::Minutes => "minutes",
        Measure::Money => "minor units of money",
    };
    let per = match quota.quota.per {
        Period::Day => "a day",
        Period::Week => "a week",
        Period::Month => "a month",
        Period::AtOnce => "at once",
    };
    format!("At most {} {what} {per}; {used} are taken.", quota.quota.limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_from_monday_by_the_clock_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // Sunday evening in UTC is Monday in Berlin; the clocks change on 2026-03-29.
        let of = |period, at: &str| {
            let window = window(period, at.parse().unwrap(), &zone).unwrap();
            (window.starts_at().to_string(), window.ends_at().to_string())
        };
        assert_eq!(
            of(Period::Week, "2026-03-22T23:30:00Z"),
            ("2026-03-22T23:00:00Z".into(), "2026-03-29T22:00:00Z".into())
        );
        assert_eq!(
            of(Period::Month, "2026-03-31T10:00:00Z"),
            ("2026-02-28T23:00:00Z".into(), "2026-03-31T22:00:00Z".into())
        );
        assert_eq!(window(Period::AtOnce, "2026-03-31T10:00:00Z".parse().unwrap(), &zone), None);
    }
}
