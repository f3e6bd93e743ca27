//! Days that everybody can look up: fixed ones, those around Easter, moved Mondays, and where regions differ.

use jiff::civil::date;

use super::*;

fn names(country: &str, region: Option<&str>, year: i16, month: i8, day: i8) -> Vec<&'static str> {
    let calendar = Calendar::of(country, region).map(|calendar| calendar.on(date(year, month, day)));
    calendar.flatten().unwrap_or_default().to_vec()
}

fn is_holiday(country: &str, region: Option<&str>, year: i16, month: i8, day: i8) -> bool {
    !names(country, region, year, month, day).is_empty()
}

#[test]
fn easter_is_when_it_is() {
    let western = [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25)];
    let orthodox = [(2024, 5, 5), (2025, 4, 20), (2026, 4, 12), (2027, 5, 2), (2028, 4, 16)];
    for (year, month, day) in western {
        assert_eq!(easter::western(year), Some(date(year, month, day)));
    }
    for (year, month, day) in orthodox {
        assert_eq!(easter::orthodox(year), Some(date(year, month, day)));
    }
}

#[test]
fn regions_have_days_of_their_own() {
    assert_eq!(names("DE", None, 2026, 4, 3), ["Good Friday"]);
    for (region, epiphany, womens_day) in [("BY", true, false), ("BE", false, true), ("HH", false, false)] {
        assert_eq!(is_holiday("DE", Some(region), 2027, 1, 6), epiphany, "{region}");
        assert_eq!(is_holiday("DE", Some(region), 2027, 3, 8), womens_day, "{region}");
        assert!(is_holiday("DE", Some(region), 2027, 10, 3), "{region}");
    }
    // Reformation Day, in the north alone; Corpus Christi, in the south alone.
    assert!(is_holiday("DE", Some("HH"), 2026, 10, 31) && !is_holiday("DE", Some("BY"), 2026, 10, 31));
    assert!(is_holiday("DE", Some("BY"), 2026, 6, 4) && !is_holiday("DE", Some("HH"), 2026, 6, 4));
    // Scotland's second day of January, and its Easter Monday that is none.
    assert!(is_holiday("GB", Some("SCT"), 2026, 1, 2) && !is_holiday("GB", Some("ENG"), 2026, 1, 2));
    assert!(is_holiday("GB", Some("ENG"), 2026, 4, 6) && !is_holiday("GB", Some("SCT"), 2026, 4, 6));
    assert!(is_holiday("de", Some("by"), 2027, 1, 6), "whatever the case");
}

#[test]
fn days_move_to_other_weekdays() {
    assert_eq!(names("US", None, 2026, 11, 26), ["Thanksgiving Day"]);
    assert_eq!(names("US", None, 2026, 5, 25), ["Memorial Day"]);
    assert!(names("US", None, 2027, 7, 5)[0].starts_with("Independence Day"), "the fourth is a Sunday");
    assert!(is_holiday("GB", Some("ENG"), 2027, 12, 27), "Christmas is a Saturday");
    assert!(is_holiday("JP", None, 2026, 1, 12), "the second Monday");
    assert!(is_holiday("AU", Some("NSW"), 2026, 1, 26) && is_holiday("NZ", None, 2026, 2, 6));
}

#[test]
fn portugal_brazil_greece_and_morocco_have_theirs() {
    for (month, day) in
        [(1, 1), (4, 3), (4, 25), (5, 1), (6, 4), (6, 10), (8, 15), (10, 5), (12, 1), (12, 8), (12, 25)]
    {
        assert!(is_holiday("PT", None, 2026, month, day), "{month}-{day}");
    }
    assert!(is_holiday("BR", None, 2026, 9, 7) && is_holiday("BR", Some("SP"), 2026, 7, 9));
    // Orthodox Easter Monday, a week after the western one.
    assert!(is_holiday("GR", None, 2026, 4, 13) && !is_holiday("GR", None, 2026, 4, 6));
    assert!(is_holiday("MA", None, 2026, 7, 30));
    assert!(
        !is_holiday("PT", None, 2026, 3, 3) && !is_holiday("PT", None, 2023, 1, 1),
        "nor before it begins"
    );
}

#[test]
fn every_line_can_be_read_and_every_calendar_has_days() {
    let mut count = 0;
    for (name, section) in &*SECTIONS {
        for line in &section.lines {
            let rule = line.split_once('=').unwrap().0;
            assert!(!rule::dates(rule.trim_start_matches('-')).is_empty(), "{name}: {line}");
        }
        let (country, region) = name.split_once('-').map_or((*name, None), |(one, other)| (one, Some(other)));
        let calendar = Calendar::of(country, region).unwrap();
        assert!(calendar.len() > 19, "{name} has {}", calendar.len());
        count += 1;
    }
    assert!(count > 800, "{count}");
    assert!(Calendar::of("XX", None).is_none() && Calendar::of("DE", Some("XX")).is_none());
    assert!(Calendar::of("DE-BY", None).is_none());
}
