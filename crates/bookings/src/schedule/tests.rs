//! Hours by the clock of a zone: across its changes, on holidays, on days with hours of their own.

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

/// All days of the week, with these hours.
fn daily(opens: &str, closes: &str) -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    json!({ "weekly": [{ "days": days, "opens": opens, "closes": closes }] })
}

#[test]
fn in_lisbon_an_hour_is_lost_in_spring_and_won_in_autumn() {
    let lisbon = |schedule, from, to| intervals(schedule, "Europe/Lisbon", from, to);
    let day = || daily("08:00", "18:00");
    assert_eq!(
        lisbon(day(), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        [
            pair("2026-03-28T08:00:00Z", "2026-03-28T18:00:00Z"),
            pair("2026-03-29T07:00:00Z", "2026-03-29T17:00:00Z"),
        ]
    );
    assert_eq!(
        lisbon(day(), "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"),
        [
            pair("2026-10-24T07:00:00Z", "2026-10-24T17:00:00Z"),
            pair("2026-10-25T08:00:00Z", "2026-10-25T18:00:00Z"),
        ]
    );
    // Half past one is not there in spring, and there twice in autumn.
    let night = || daily("00:30", "01:30");
    assert_eq!(
        lisbon(night(), "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
        [pair("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z")]
    );
    assert_eq!(
        lisbon(night(), "2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z"),
        [pair("2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z")]
    );
}

#[test]
fn in_sao_paulo_midnight_was_not_there_once_and_a_day_had_25_hours() {
    let all_day = |date: &str| {
        let override_ =
            json!({ "from": date, "until": date, "hours": [{ "opens": "00:00", "closes": "00:00" }] });
        json!({ "overrides": [override_] })
    };
    let zone = "America/Sao_Paulo";
    assert_eq!(
        intervals(all_day("2018-11-04"), zone, "2018-11-03T00:00:00Z", "2018-11-06T00:00:00Z"),
        [pair("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")]
    );
    assert_eq!(
        intervals(all_day("2019-02-16"), zone, "2019-02-15T00:00:00Z", "2019-02-18T00:00:00Z"),
        [pair("2019-02-16T02:00:00Z", "2019-02-17T03:00:00Z")]
    );
    // It has no summer time any more.
    assert_eq!(
        intervals(daily("08:00", "18:00"), zone, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
        [pair("2026-11-01T11:00:00Z", "2026-11-01T21:00:00Z")]
    );
}

#[test]
fn on_lord_howe_clocks_change_by_half_an_hour() {
    let zone = "Australia/Lord_Howe";
    assert_eq!(
        intervals(daily("08:00", "18:00"), zone, "2026-04-03T12:00:00Z", "2026-04-05T12:00:00Z"),
        [
            pair("2026-04-03T21:00:00Z", "2026-04-04T07:00:00Z"),
            pair("2026-04-04T21:30:00Z", "2026-04-05T07:30:00Z"),
        ]
    );
    assert_eq!(
        intervals(daily("02:15", "03:00"), zone, "2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z"),
        [pair("2026-10-03T15:45:00Z", "2026-10-03T16:00:00Z")]
    );
}

#[test]
fn in_casablanca_clocks_go_back_for_ramadan() {
    let on = |from: &str, to: &str| intervals(daily("08:00", "18:00"), "Africa/Casablanca", from, to);
    for (day, opens, closes) in [("2026-02-14", 7, 17), ("2026-02-16", 8, 18), ("2026-03-23", 7, 17)] {
        let at = |hour: i32| format!("{day}T{hour:02}:00:00Z");
        assert_eq!(on(&at(0), &at(23)), [(at(opens), at(closes))]);
    }
}

#[test]
fn overrides_beat_holidays_and_holidays_the_week() {
    let mut schedule = daily("08:00", "18:00");
    schedule["holidays"] =
        json!({ "country": "DE", "region": "BY", "hours": [{ "opens": "10:00", "closes": "12:00" }] });
    schedule["overrides"] = json!([{ "from": "2027-01-01", "until": "2027-01-01", "name": "Stocktaking" }]);
    // New Year is overridden, Epiphany a holiday in Bavaria, the 7th neither.
    let found = |schedule: &Value, day: &str| {
        let (from, to) = (format!("{day}T00:00:00Z"), format!("{day}T22:00:00Z"));
        intervals(schedule.clone(), "Europe/Berlin", &from, &to)
    };
    assert_eq!(found(&schedule, "2027-01-01"), []);
    assert_eq!(found(&schedule, "2027-01-06"), [pair("2027-01-06T09:00:00Z", "2027-01-06T11:00:00Z")]);
    assert_eq!(found(&schedule, "2027-01-07"), [pair("2027-01-07T07:00:00Z", "2027-01-07T17:00:00Z")]);
    let days = |schedule: &Value| {
        let schedule = serde_json::from_value(schedule.clone()).unwrap();
        let window = ("2026-12-31T23:00:00Z".parse().unwrap(), "2027-01-06T23:00:00Z".parse().unwrap());
        let window = Slot::new(window.0, window.1).unwrap();
        special_days(&schedule, &TimeZone::get("Europe/Berlin").unwrap(), &window)
    };
    let names = |schedule: &Value| {
        let days = days(schedule).into_iter();
        days.map(|day| (day.date.to_string(), day.name.unwrap(), day.kind)).collect::<Vec<_>>()
    };
    let new_year = ("2027-01-01".into(), "Stocktaking".into(), SpecialDayKind::Override);
    let epiphany = ("2027-01-06".into(), "Epiphany".into(), SpecialDayKind::Holiday);
    assert_eq!(names(&schedule), [new_year.clone(), epiphany]);
    schedule["holidays"]["region"] = json!("BE");
    assert_eq!(names(&schedule), [new_year]);
}
