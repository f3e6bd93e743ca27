//! Rules against published vectors, an oracle that looks at each day by itself, and clocks that change.

mod clocks;
mod oracle;
mod vectors;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::*;

/// The days of a rule that starts at nine, as far as the year 2300.
fn days(rule: &str, start: &str, most: usize) -> Vec<Date> {
    let rule: Rule = rule.parse().unwrap();
    let start: Date = start.parse().unwrap();
    let start = start.to_datetime(Time::constant(9, 0, 0, 0));
    let zone = TimeZone::get("America/New_York").unwrap();
    let last = DateTime::constant(2300, 1, 1, 0, 0, 0, 0);
    let (starts, _) = expand(&rule, start, &zone, Bounds { most, last });
    assert!(starts.iter().all(|at| at.time() == start.time()));
    starts.iter().map(|at| at.date()).collect()
}

fn series(rule: &str, start: &str) -> Result<Vec<Occurrence>, SeriesError> {
    let recurrence = Recurrence {
        starts_at: Local(start.parse().unwrap()),
        zone: TimeZone::get("Europe/Lisbon").unwrap(),
        rule: Some(rule.parse().unwrap()),
        rdates: Vec::new(),
        exdates: Vec::new(),
    };
    recurrence.occurrences()
}

#[test]
fn what_has_no_end_or_no_occurrence_is_no_series() {
    let of = |rule| series(rule, "2026-03-02T09:00").map(|all| all.len());
    assert_eq!(of("FREQ=DAILY"), Err(SeriesError::Endless));
    assert_eq!(of("FREQ=DAILY;COUNT=366"), Ok(366));
    assert_eq!(of("FREQ=DAILY;COUNT=367"), Err(SeriesError::TooMany));
    assert_eq!(of("FREQ=DAILY;UNTIL=20991231"), Err(SeriesError::TooMany));
    assert_eq!(of("FREQ=YEARLY;COUNT=11"), Ok(11));
    assert_eq!(of("FREQ=YEARLY;COUNT=12"), Err(SeriesError::TooFar));
    assert_eq!(of("FREQ=WEEKLY;UNTIL=20260301"), Err(SeriesError::Empty));
    // Never: each of them ends.
    assert_eq!(of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1"), Err(SeriesError::TooFar));
    assert_eq!(of("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=99991231"), Err(SeriesError::TooFar));
    assert_eq!(of("FREQ=MONTHLY;BYDAY=6MO;COUNT=1"), Err(SeriesError::TooFar));
    assert_eq!(of("FREQ=DAILY;BYDAY=MO;BYSETPOS=2;COUNT=1"), Err(SeriesError::TooFar));
}

#[test]
fn single_dates_are_added_and_left_out() {
    let local = |text: &str| Local(text.parse().unwrap());
    let mut recurrence = Recurrence {
        starts_at: local("2026-03-02T09:00"),
        zone: TimeZone::get("Europe/Lisbon").unwrap(),
        rule: Some("FREQ=WEEKLY;COUNT=3".parse().unwrap()),
        rdates: vec![local("2026-03-09T09:00"), local("2026-03-04T14:30")],
        exdates: vec![local("2026-03-02T09:00"), local("2026-03-16T10:00")],
    };
    let locals = |recurrence: &Recurrence| -> Vec<String> {
        recurrence.occurrences().unwrap().iter().map(|one| one.local.0.to_string()).collect()
    };
    assert_eq!(locals(&recurrence), ["2026-03-04T14:30:00", "2026-03-09T09:00:00", "2026-03-16T09:00:00"]);
    recurrence.rule = None;
    assert_eq!(locals(&recurrence), ["2026-03-04T14:30:00", "2026-03-09T09:00:00"]);
    recurrence.exdates = recurrence.rdates.iter().copied().chain([recurrence.starts_at]).collect();
    assert_eq!(recurrence.occurrences(), Err(SeriesError::Empty));
}

#[test]
fn what_is_no_rule_is_refused_by_name() {
    let code = |text: &str| text.parse::<Rule>().unwrap_err().code();
    for text in ["FREQ=HOURLY;COUNT=2", "FREQ=MINUTELY", "FREQ=SECONDLY", "FREQ=DAILY;BYHOUR=9", "BYMINUTE=0"]
    {
        assert_eq!(code(text), "sub_daily", "{text}");
    }
    assert_eq!(code("FREQ=DAILY;COUNT=2;UNTIL=20260101"), "count_and_until");
    let wrong = "|COUNT=3|FREQ=|FREQ=FORTNIGHTLY|FREQ=DAILY;|FREQ=DAILY;FREQ=DAILY|FREQ=DAILY;COUNT=0|FREQ=DAILY;COUNT=-1|\
        FREQ=DAILY;COUNT=99999999999|FREQ=DAILY;INTERVAL=0|FREQ=DAILY;INTERVAL=1001|FREQ=DAILY;UNTIL=20260230|\
        FREQ=DAILY;UNTIL=2026-01-01|FREQ=DAILY;UNTIL=20260101T0900|FREQ=DAILY;UNTIL=20260101T090000+01|\
        FREQ=DAILY;UNTIL=20260101T250000|FREQ=DAILY;UNTIL=202601011|FREQ=DAILY;UNTIL=日本|FREQ=YEARLY;BYMONTH=13|\
        FREQ=YEARLY;BYMONTH=-1|FREQ=YEARLY;BYMONTH=0|FREQ=YEARLY;BYMONTH=1,,2|FREQ=MONTHLY;BYMONTHDAY=32|\
        FREQ=MONTHLY;BYMONTHDAY=0|FREQ=YEARLY;BYYEARDAY=367|FREQ=YEARLY;BYWEEKNO=54|FREQ=MONTHLY;BYDAY=0MO|\
        FREQ=MONTHLY;BYDAY=54MO|FREQ=MONTHLY;BYDAY=1|FREQ=MONTHLY;BYDAY=XX|FREQ=MONTHLY;BYDAY=é|FREQ=MONTHLY;BYDAY=+-1MO|\
        FREQ=WEEKLY;WKST=1MO|FREQ=DAILY;RSCALE=GREGORIAN|FREQ=DAILY;X-MINE=1|FREQ=WEEKLY;BYMONTHDAY=1|\
        FREQ=MONTHLY;BYWEEKNO=1|FREQ=DAILY;BYYEARDAY=1|FREQ=WEEKLY;BYDAY=1MO|FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO|\
        FREQ=MONTHLY;BYSETPOS=1|FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0";
    for text in wrong.split('|') {
        assert_eq!(code(text), "invalid_rule", "{text}");
    }
    let rule: Rule = " rrule:freq=weekly;byday=mo,WE;count=2 ".parse().unwrap();
    assert_eq!(rule, "COUNT=2;BYDAY=MO,WE;FREQ=WEEKLY".parse().unwrap());
}

#[test]
fn a_local_time_has_no_offset() {
    let read = |text: &str| {
        serde_json::from_value::<Local>(serde_json::json!(text)).map(|local| local.0.to_string())
    };
    assert_eq!(read("2026-03-02T09:00").unwrap(), "2026-03-02T09:00:00");
    for text in [
        "2026-03-02T09:00Z",
        "2026-03-02T09:00+01:00",
        "2026-03-02T09:00-01",
        "2026-03-02",
        "2026-03-02T09:00[Europe/Vienna]",
        "2026-03-02T09:00:00.5",
        "2026-02-30T09:00",
        "09:00",
        "",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
