//! The examples of RFC 5545, section 3.8.5.3, and the vectors of python-dateutil's tests, as far as they are not sub-daily.

use super::days;

/// `1997-09-02 04 10-07`: what is absent is as in the day before.
fn dates(text: &str) -> Vec<jiff::civil::Date> {
    let (mut year, mut month) = (String::new(), String::new());
    let all = text.split_whitespace().map(|word| {
        let parts: Vec<&str> = word.split('-').collect();
        let (rest, day) = parts.split_at(parts.len() - 1);
        match rest {
            [y, m] => (year, month) = ((*y).to_owned(), (*m).to_owned()),
            [m] => month = (*m).to_owned(),
            _ => {}
        }
        format!("{year}-{month}-{}", day[0]).parse().unwrap()
    });
    all.collect()
}

fn check(vectors: &[(&str, &str, &str)]) {
    for (start, rule, expected) in vectors {
        let expected = dates(expected);
        assert_eq!(days(rule, start, expected.len()), expected, "{rule} from {start}");
        if rule.contains("COUNT") || rule.contains("UNTIL") {
            assert_eq!(days(rule, start, 1000), expected, "{rule} from {start} ends");
        }
    }
}

#[test]
fn of_the_rfc_days_and_weeks() {
    check(&[
        ("1997-09-02", "FREQ=DAILY;COUNT=10", "1997-09-02 03 04 05 06 07 08 09 10 11"),
        ("1997-09-02", "FREQ=DAILY;INTERVAL=2", "1997-09-02 04 06 08 10"),
        ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 12 22 10-02 12"),
        ("1997-09-02", "FREQ=WEEKLY;COUNT=10", "1997-09-02 09 16 23 30 10-07 14 21 28 11-04"),
        (
            "1997-09-02",
            "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
            "1997-09-02 16 30 10-14 28 11-11 25 12-09 23 1998-01-06",
        ),
        (
            "1997-09-02",
            "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
            "1997-09-02 04 09 11 16 18 23 25 30 10-02",
        ),
        (
            "1997-09-02",
            "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
            "1997-09-02 04 09 11 16 18 23 25 30 10-02",
        ),
        (
            "1997-09-01",
            "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
            "1997-09-01 03 05 15 17 19 29 10-01 03 13 15 17 27 29 31 11-10 12 14 24 26 28 12-08 10 12 22",
        ),
        (
            "1997-09-02",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
            "1997-09-02 04 16 18 30 10-02 14 16",
        ),
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 10 19 24"),
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 17 19 31"),
    ]);
    let until_christmas = days("FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02", 1000);
    assert_eq!((until_christmas.len(), until_christmas.last()), (113, dates("1997-12-23").last()));
    let januaries = days("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01-01", 1000);
    assert_eq!(januaries.len(), 93);
    let by_year = "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA";
    assert_eq!(days(by_year, "1998-01-01", 1000), januaries);
}

#[test]
fn of_the_rfc_months() {
    check(&[
        (
            "1997-09-05",
            "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
            "1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05",
        ),
        ("1997-09-05", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997-09-05 10-03 11-07 12-05"),
        (
            "1997-09-07",
            "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
            "1997-09-07 28 11-02 30 1998-01-04 25 03-01 29 05-03 31",
        ),
        ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 10-20 11-17 12-22 1998-01-19 02-16"),
        ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28 10-29 11-28 12-29 1998-01-29 02-26"),
        (
            "1997-09-02",
            "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
            "1997-09-02 15 10-02 15 11-02 15 12-02 15 1998-01-02 15",
        ),
        (
            "1997-09-30",
            "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
            "1997-09-30 10-01 31 11-01 30 12-01 31 1998-01-01 31 02-01",
        ),
        (
            "1997-09-10",
            "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
            "1997-09-10 11 12 13 14 15 1999-03-10 11 12 13",
        ),
        (
            "1997-09-02",
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
            "1997-09-02 09 16 23 30 11-04 11 18 25 1998-01-06 13 20 27 03-03",
        ),
        ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13 03-13 11-13 1999-08-13 2000-10-13"),
        (
            "1997-09-13",
            "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            "1997-09-13 10-11 11-08 12-13 1998-01-10 02-07 03-07 04-11 05-09 06-13",
        ),
        ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 10-07 11-06"),
        (
            "1997-09-29",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30",
        ),
        ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 30 02-15 03-15 30"),
    ]);
}

#[test]
fn of_the_rfc_years() {
    check(&[
        (
            "1997-06-10",
            "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
            "1997-06-10 07-10 1998-06-10 07-10 1999-06-10 07-10 2000-06-10 07-10 2001-06-10 07-10",
        ),
        (
            "1997-03-10",
            "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
            "1997-03-10 1999-01-10 02-10 03-10 2001-01-10 02-10 03-10 2003-01-10 02-10 03-10",
        ),
        (
            "1997-01-01",
            "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
            "1997-01-01 04-10 07-19 2000-01-01 04-09 07-18 2003-01-01 04-10 07-19 2006-01-01",
        ),
        ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19 1998-05-18 1999-05-17"),
        ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12 1998-05-11 1999-05-17"),
        (
            "1997-03-13",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
            "1997-03-13 20 27 1998-03-05 12 19 26 1999-03-04 11 18 25",
        ),
        (
            "1996-11-05",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "1996-11-05 2000-11-07 2004-11-02",
        ),
        ("1996-02-29", "FREQ=YEARLY;COUNT=3", "1996-02-29 2000-02-29 2004-02-29"),
    ]);
}

#[test]
fn of_dateutil() {
    let of = |rule: &'static str, expected: &'static str| ("1997-09-02", rule, expected);
    check(&[
        of("FREQ=YEARLY", "1997-09-02 1998-09-02 1999-09-02"),
        of("FREQ=YEARLY;INTERVAL=100;COUNT=3", "1997-09-02 2097-09-02 2197-09-02"),
        of("FREQ=YEARLY;BYMONTH=1,3", "1998-01-02 03-02 1999-01-02"),
        of("FREQ=YEARLY;BYMONTHDAY=1,3", "1997-09-03 10-01 03"),
        of("FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=5,7", "1998-01-05 07 03-05"),
        of("FREQ=YEARLY;BYDAY=TU,TH", "1997-09-02 04 09"),
        of("FREQ=YEARLY;BYDAY=1TU,-1TH", "1997-12-25 1998-01-06 12-31"),
        of("FREQ=YEARLY;BYDAY=3TU,-3TH", "1997-12-11 1998-01-20 12-17"),
        of("FREQ=YEARLY;BYMONTH=1,3;BYDAY=TU,TH", "1998-01-01 06 08"),
        of("FREQ=YEARLY;BYMONTH=1,3;BYDAY=1TU,-1TH", "1998-01-06 29 03-03"),
        of("FREQ=YEARLY;BYMONTH=1,3;BYDAY=3TU,-3TH", "1998-01-15 20 03-12"),
        of("FREQ=YEARLY;BYMONTHDAY=1,3;BYDAY=TU,TH", "1998-01-01 02-03 03-03"),
        of("FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=1,3;BYDAY=TU,TH", "1998-01-01 03-03 2001-03-01"),
        of("FREQ=YEARLY;BYYEARDAY=1,100,200,365;COUNT=4", "1997-12-31 1998-01-01 04-10 07-19"),
        of("FREQ=YEARLY;BYYEARDAY=-365,-266,-166,-1;COUNT=4", "1997-12-31 1998-01-01 04-10 07-19"),
        of("FREQ=YEARLY;BYMONTH=4,7;BYYEARDAY=1,100,200,365", "1998-04-10 07-19 1999-04-10 07-19"),
        of("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "1997-12-29 1999-01-04 2000-01-03"),
        of("FREQ=YEARLY;BYWEEKNO=52;BYDAY=SU", "1997-12-28 1998-12-27 2000-01-02"),
        of("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU", "1997-12-28 1999-01-03 2000-01-02"),
        of("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "1998-12-28 2004-12-27 2009-12-28"),
        of("FREQ=MONTHLY;INTERVAL=18", "1997-09-02 1999-03-02 2000-09-02"),
        of("FREQ=MONTHLY;BYMONTH=1,3", "1998-01-02 03-02 1999-01-02"),
        of("FREQ=MONTHLY;BYMONTHDAY=1,3", "1997-09-03 10-01 03"),
        of("FREQ=MONTHLY;BYDAY=1TU,-1TH", "1997-09-02 25 10-07"),
        of("FREQ=MONTHLY;BYDAY=3TU,-3TH", "1997-09-11 16 10-16"),
        of("FREQ=MONTHLY;BYMONTH=1,3;BYDAY=1TU,-1TH", "1998-01-06 29 03-03"),
        of("FREQ=WEEKLY;INTERVAL=20", "1997-09-02 1998-01-20 06-09"),
        of("FREQ=WEEKLY;BYMONTH=1,3", "1998-01-06 13 20"),
        of("FREQ=WEEKLY;BYMONTH=1,3;BYDAY=TU,TH", "1998-01-01 06 08"),
        of("FREQ=DAILY;INTERVAL=92", "1997-09-02 12-03 1998-03-05"),
        of("FREQ=DAILY;BYMONTH=1,3", "1998-01-01 02 03"),
        of("FREQ=DAILY;BYMONTHDAY=1,3", "1997-09-03 10-01 03"),
        of("FREQ=DAILY;BYDAY=TU,TH", "1997-09-02 04 09"),
        of("FREQ=DAILY;BYMONTH=1,3;BYMONTHDAY=1,3;BYDAY=TU,TH", "1998-01-01 03-03 2001-03-01"),
        of("FREQ=DAILY;UNTIL=19970905T090000", "1997-09-02 03 04 05"),
        of("FREQ=DAILY;UNTIL=19970905T085959", "1997-09-02 03 04"),
        of("FREQ=DAILY;UNTIL=19970905", "1997-09-02 03 04 05"),
        of("FREQ=DAILY;UNTIL=19970902T090000", "1997-09-02"),
    ]);
}
