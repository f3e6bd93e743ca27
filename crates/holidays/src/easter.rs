//! When Easter is: by the western (Gregorian) and the orthodox (Julian) reckoning.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// Western Easter Sunday, by the algorithm that Meeus gives (Astronomical Algorithms, chapter 8).
pub fn western(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let day = h + l - 7 * m + 114;
    date(year, day)
}

/// Orthodox Easter Sunday in the Gregorian calendar, from 1900 to 2099: thirteen days after its Julian date.
pub fn orthodox(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let d = (19 * (year % 19) + 15) % 30;
    let e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7;
    date(year, d + e + 114)?.checked_add(13.days()).ok()
}

/// The day that both algorithms end with: 31 days to a month, counted from 0.
fn date(year: i32, day: i32) -> Option<Date> {
    let (year, month, day) = (i16::try_from(year), i8::try_from(day / 31), i8::try_from(day % 31 + 1));
    Date::new(year.ok()?, month.ok()?, day.ok()?).ok()
}
