//! Nine stays nine when the clocks change; what they skip or repeat is told.

use super::*;

fn occurrences(zone: &str, start: &str, rule: &str) -> Vec<(String, Option<Note>)> {
    let recurrence = Recurrence {
        starts_at: Local(start.parse().unwrap()),
        zone: TimeZone::get(zone).unwrap(),
        rule: Some(rule.parse().unwrap()),
        rdates: Vec::new(),
        exdates: Vec::new(),
    };
    let all = recurrence.occurrences().unwrap();
    all.iter().map(|one| (one.starts_at.to_string(), one.note)).collect()
}

fn same(texts: &[&str]) -> Vec<(String, Option<Note>)> {
    texts.iter().map(|text| ((*text).to_owned(), None)).collect()
}

#[test]
fn nine_stays_nine() {
    assert_eq!(
        occurrences("Europe/Lisbon", "2026-03-22T09:00", "FREQ=WEEKLY;COUNT=3"),
        same(&["2026-03-22T09:00:00Z", "2026-03-29T08:00:00Z", "2026-04-05T08:00:00Z"])
    );
    assert_eq!(
        occurrences("America/New_York", "2026-10-31T09:00", "FREQ=DAILY;COUNT=3"),
        same(&["2026-10-31T13:00:00Z", "2026-11-01T14:00:00Z", "2026-11-02T14:00:00Z"])
    );
}

#[test]
fn what_the_clocks_skip_is_later_by_the_gap() {
    // Lisbon skips one to two, Vienna two to three, both at one o'clock UTC.
    for (zone, start, first, second, third) in [
        (
            "Europe/Lisbon",
            "2026-03-28T01:30",
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z",
        ),
        (
            "Europe/Vienna",
            "2026-03-28T02:30",
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z",
        ),
        (
            "America/New_York",
            "2026-03-07T02:00",
            "2026-03-07T07:00:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-09T06:00:00Z",
        ),
        // Midnight itself.
        (
            "America/Santiago",
            "2026-09-05T00:00",
            "2026-09-05T04:00:00Z",
            "2026-09-06T04:00:00Z",
            "2026-09-07T03:00:00Z",
        ),
        // Lord Howe Island skips half an hour.
        (
            "Australia/Lord_Howe",
            "2026-10-03T02:15",
            "2026-10-02T15:45:00Z",
            "2026-10-03T15:45:00Z",
            "2026-10-04T15:15:00Z",
        ),
    ] {
        let expected = [(first, None), (second, Some(Note::Shifted)), (third, None)];
        let expected: Vec<_> = expected.iter().map(|(at, note)| ((*at).to_owned(), *note)).collect();
        assert_eq!(occurrences(zone, start, "FREQ=DAILY;COUNT=3"), expected, "{zone}");
    }
}

#[test]
fn what_happens_twice_is_the_first() {
    for (zone, start, first, second, third) in [
        (
            "Europe/Lisbon",
            "2026-10-24T01:30",
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
        (
            "Europe/Vienna",
            "2026-10-24T02:30",
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
        (
            "America/New_York",
            "2026-10-31T01:00",
            "2026-10-31T05:00:00Z",
            "2026-11-01T05:00:00Z",
            "2026-11-02T06:00:00Z",
        ),
    ] {
        let expected = [(first, None), (second, Some(Note::Ambiguous)), (third, None)];
        let expected: Vec<_> = expected.iter().map(|(at, note)| ((*at).to_owned(), *note)).collect();
        assert_eq!(occurrences(zone, start, "FREQ=DAILY;COUNT=3"), expected, "{zone}");
    }
}

#[test]
fn an_end_in_utc_is_an_instant_also_when_the_clocks_change() {
    let count = |until: &str| {
        let rule = format!("FREQ=DAILY;UNTIL={until}");
        occurrences("Europe/Vienna", "2026-03-28T02:30", &rule).len()
    };
    // The second is at 01:30 UTC, which is half past three in Vienna.
    assert_eq!((count("20260329T012959Z"), count("20260329T013000Z")), (1, 2));
    assert_eq!((count("20260329T022959"), count("20260329T023000"), count("20260329")), (1, 2, 2));
}
