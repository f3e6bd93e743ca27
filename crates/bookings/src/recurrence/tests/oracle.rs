//! An oracle that knows no algorithm: it looks at every day, counts by walking, and gathers the days of each period.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use proptest::prelude::*;

use super::*;

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn list(values: std::ops::RangeInclusive<i16>, from_end: bool) -> impl Strategy<Value = Vec<i16>> {
    let one = (values, any::<bool>()).prop_map(move |(n, back)| if back && from_end { -n } else { n });
    prop::collection::vec(one, 0..4)
}

fn part(name: &str, values: &[impl ToString]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!(";{name}={}", values.join(","))
}

/// A rule that may stand, out of parts that often meet.
fn rule() -> impl Strategy<Value = String> {
    let day = (prop_oneof![Just(0i16), -6i16..=6, -53i16..=53], prop::sample::select(&WEEKDAYS[..]));
    let frequency = prop::sample::select(&["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][..]);
    let dates = (list(1..=12, false), list(1..=31, true), list(1..=366, true), list(1..=53, true));
    let rest = (list(1..=5, true), prop::sample::select(&WEEKDAYS[..]), any::<[bool; 6]>());
    (frequency, 1u16..5, dates, prop::collection::vec(day, 0..4), rest).prop_map(
        |(
            frequency,
            interval,
            (months, month_days, year_days, weeks),
            days,
            (positions, week_start, keep),
        )| {
            let days: Vec<String> = days
                .into_iter()
                .map(|(n, day)| {
                    let plain = n == 0 || matches!(frequency, "DAILY" | "WEEKLY") || keep[4];
                    if plain { day.to_owned() } else { format!("{n}{day}") }
                })
                .collect();
            let mut text = format!("FREQ={frequency};INTERVAL={interval}");
            let kept = [
                (keep[0], part("BYMONTH", &months)),
                (keep[1] && frequency != "WEEKLY", part("BYMONTHDAY", &month_days)),
                (keep[2] && frequency == "YEARLY", part("BYYEARDAY", &year_days)),
                // ISO weeks are the ones that the oracle can ask somebody else for.
                (keep[4] && frequency == "YEARLY" && week_start == "MO", part("BYWEEKNO", &weeks)),
                (keep[3], part("BYDAY", &days)),
                (keep[5], part("BYSETPOS", &positions)),
            ];
            text.extend(kept.into_iter().filter(|(kept, _)| *kept).map(|(_, part)| part));
            text + &part("WKST", &[week_start])
        },
    )
}

fn days_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |date| date.tomorrow().ok())
}

/// The place of a day among days of which some are like it, from the start and from the end.
fn places(date: Date, all: &[Date], like: impl Fn(Date) -> bool) -> [i16; 2] {
    let before = all.iter().filter(|other| **other <= date && like(**other)).count();
    let after = all.iter().filter(|other| **other >= date && like(**other)).count();
    [i16::try_from(before).unwrap(), -i16::try_from(after).unwrap()]
}

fn is_in(rule: &Rule, date: Date, start: Date) -> bool {
    let month: Vec<Date> =
        days_from(date.first_of_month()).take_while(|other| other.month() == date.month()).collect();
    let year: Vec<Date> =
        days_from(date.first_of_year()).take_while(|other| other.year() == date.year()).collect();
    let some =
        |set: &BTreeSet<i16>, places: [i16; 2]| set.is_empty() || places.iter().any(|n| set.contains(n));
    let week = date.iso_week_date();
    let weeks = [i16::from(week.week()), i16::from(week.week()) - i16::from(week.weeks_in_year()) - 1];
    let within = if rule.frequency == Frequency::Monthly || !rule.months.is_empty() { &month } else { &year };
    let says_day = !(rule.weekdays.is_empty() && rule.month_days.is_empty() && rule.year_days.is_empty());
    let by_start = says_day
        || match rule.frequency {
            Frequency::Daily => true,
            Frequency::Weekly => date.weekday() == start.weekday(),
            Frequency::Yearly if !rule.weeks.is_empty() => date.weekday() == start.weekday(),
            Frequency::Yearly if rule.months.is_empty() => {
                (date.month(), date.day()) == (start.month(), start.day())
            }
            Frequency::Monthly | Frequency::Yearly => date.day() == start.day(),
        };
    by_start
        && (rule.months.is_empty() || rule.months.contains(&i16::from(date.month())))
        && some(&rule.month_days, places(date, &month, |_| true))
        && some(&rule.year_days, places(date, &year, |_| true))
        && some(&rule.weeks, weeks)
        && (rule.weekdays.is_empty()
            || rule.weekdays.iter().any(|(ordinal, weekday)| {
                date.weekday() == *weekday
                    && ordinal.is_none_or(|n| {
                        places(date, within, |other| other.weekday() == *weekday).contains(&n)
                    })
            }))
}

/// The number of the period that a day is in, counted from the start's.
fn period(rule: &Rule, date: Date, start: Date) -> i32 {
    let days = |from: Date, to: Date| (to - from).get_days();
    match rule.frequency {
        Frequency::Daily => days(start, date),
        Frequency::Weekly => {
            let first = (0..7).map(|back| start.saturating_sub(jiff::Span::new().days(back)));
            let first = first.into_iter().find(|date| date.weekday() == rule.week_start).unwrap();
            days(first, date).div_euclid(7)
        }
        Frequency::Monthly => {
            i32::from(date.year() - start.year()) * 12 + i32::from(date.month() - start.month())
        }
        Frequency::Yearly => i32::from(date.year() - start.year()),
    }
}

fn expected(rule: &Rule, start: Date, last: Date) -> Vec<Date> {
    let mut periods = BTreeMap::<i32, Vec<Date>>::new();
    // From a year before: the start's own period is whole.
    for date in days_from(start.saturating_sub(jiff::Span::new().days(366))).take_while(|date| *date <= last)
    {
        let number = period(rule, date, start);
        if number >= 0 && number % i32::from(rule.interval) == 0 && is_in(rule, date, start) {
            periods.entry(number).or_default().push(date);
        }
    }
    let wanted = |(place, all): (usize, usize)| {
        let (place, all) = (i16::try_from(place).unwrap(), i16::try_from(all).unwrap());
        rule.positions.is_empty()
            || rule.positions.contains(&(place + 1))
            || rule.positions.contains(&(place - all))
    };
    let days = periods.values().flat_map(|days| {
        days.iter().enumerate().filter(|(place, _)| wanted((*place, days.len()))).map(|(_, date)| *date)
    });
    days.filter(|date| *date >= start).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn the_engine_agrees_with_a_look_at_every_day(text in rule(), offset in 0i64..3000) {
        let Ok(rule) = text.parse::<Rule>() else { return Ok(()) };
        let start = Date::constant(2020, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
        // To the end of a year, so that the last period is whole for both.
        let last = Date::new(start.year() + 4, 12, 31).unwrap();
        let noon = Time::constant(12, 0, 0, 0);
        let bounds = Bounds { most: 10_000, last: last.to_datetime(noon) };
        let (starts, end) = expand(&rule, start.to_datetime(noon), &TimeZone::UTC, bounds);
        let found: Vec<Date> = starts.iter().map(|at| at.date()).collect();
        let mut wanted = expected(&rule, start, last);
        if rule.frequency == Frequency::Weekly && !rule.positions.is_empty() {
            // A week over the end of the last year is cut off for the oracle.
            let week = last.saturating_sub(jiff::Span::new().days(7));
            wanted.retain(|date| *date <= week);
            prop_assert!(found.starts_with(&wanted), "{}", text);
        } else {
            prop_assert_eq!(&found, &wanted, "{}", text);
        }
        prop_assert_eq!(end, End::Window);
        // A count takes the first of them, an end those until then.
        if let Some(middle) = found.get(found.len() / 2) {
            let place = found.len() / 2 + 1;
            let counted = format!("{text};COUNT={place}").parse::<Rule>().unwrap();
            prop_assert_eq!(expand(&counted, start.to_datetime(noon), &TimeZone::UTC, bounds).0.len(), place);
            let until = format!("{text};UNTIL={}", middle.strftime("%Y%m%d")).parse::<Rule>().unwrap();
            let (until, end) = expand(&until, start.to_datetime(noon), &TimeZone::UTC, bounds);
            prop_assert_eq!((until.len(), end), (place, if found.len() == place && end == End::Window { End::Window } else { End::Rule }));
        }
    }

    #[test]
    fn no_text_makes_it_stumble(text in "(FREQ=(YEARLY|DAILY);)?[A-Z0-9=;,+-]{0,40}|\\PC{0,20}") {
        let _ = text.parse::<Rule>();
    }
}

#[test]
fn weeks_that_do_not_start_on_monday_have_four_days_in_their_year() {
    // 2027-01-01 is a Friday: by Mondays it is in week 53 of 2026, by Fridays in week 1 of 2027.
    let first = |week_start: &str| {
        days(&format!("FREQ=YEARLY;BYWEEKNO=1;BYDAY=FR;WKST={week_start}"), "2027-01-01", 1)[0]
    };
    assert_eq!(first("FR"), Date::constant(2027, 1, 1));
    assert_eq!(first("MO"), Date::constant(2027, 1, 8));
    assert_eq!(Date::constant(2027, 1, 1).weekday(), Weekday::Friday);
}
