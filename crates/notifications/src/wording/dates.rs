//! Days and times as readers of each language write them (the abbreviations of CLDR 46, 24 hours).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kernel::Slot;

use super::Language;

const EN_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const PT_DAYS: [&str; 7] = ["seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."];
const ES_DAYS: [&str; 7] = ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"];

const EN_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const PT_MONTHS: [&str; 12] =
    ["jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."];
const ES_MONTHS: [&str; 12] =
    ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"];

/// A day: `Mon 2 Mar 2026`, `seg., 2 de mar. de 2026`, `lun, 2 mar 2026`.
#[must_use]
pub fn day(moment: &Zoned, language: Language) -> String {
    let weekday = usize::from(moment.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from(moment.month().unsigned_abs()).saturating_sub(1);
    let (number, year) = (moment.day(), moment.year());
    let pick = |days: [&'static str; 7], months: [&'static str; 12]| {
        (days.get(weekday).copied().unwrap_or_default(), months.get(month).copied().unwrap_or_default())
    };
    match language {
        Language::En => {
            let (weekday, month) = pick(EN_DAYS, EN_MONTHS);
            format!("{weekday} {number} {month} {year}")
        }
        Language::Pt => {
            let (weekday, month) = pick(PT_DAYS, PT_MONTHS);
            format!("{weekday}, {number} de {month} de {year}")
        }
        Language::Es => {
            let (weekday, month) = pick(ES_DAYS, ES_MONTHS);
            format!("{weekday}, {number} {month} {year}")
        }
    }
}

/// A time of day: `14:00`.
#[must_use]
pub fn time(moment: &Zoned) -> String {
    moment.strftime("%H:%M").to_string()
}

/// A moment in a zone, with the zone's name: `Mon 2 Mar 2026, 14:00 (Europe/Lisbon)`.
///
/// A zone that this machine does not know is told as UTC, and says so.
#[must_use]
pub fn moment(at: Timestamp, zone: &str, language: Language) -> String {
    let (zone, name) = known(zone);
    let local = at.to_zoned(zone);
    format!("{}, {} ({name})", day(&local, language), time(&local))
}

/// A stretch of time in a zone, with the zone's name: `Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)`.
///
/// A zone that this machine does not know is told as UTC, and says so.
#[must_use]
pub fn interval(slot: Slot, zone: &str, language: Language) -> String {
    let (zone, name) = known(zone);
    let local = |instant: Timestamp| instant.to_zoned(zone.clone());
    let (start, end) = (local(slot.starts_at()), local(slot.ends_at()));
    let start_text = format!("{}, {}", day(&start, language), time(&start));
    if start.date() == end.date() {
        return format!("{start_text}–{} ({name})", time(&end));
    }
    format!("{start_text} – {}, {} ({name})", day(&end, language), time(&end))
}

/// Whether two zones show other clocks at an instant; a zone that is not known shows that of UTC.
#[must_use]
pub fn differ(one: &str, other: &str, at: Timestamp) -> bool {
    known(one).0.to_offset(at) != known(other).0.to_offset(at)
}

/// A zone, and the name under which it is told.
#[must_use]
pub fn known(zone: &str) -> (TimeZone, &str) {
    TimeZone::get(zone).map_or((TimeZone::UTC, "UTC"), |known| (known, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(from: &str, until: &str) -> Slot {
        Slot::new(from.parse().unwrap(), until.parse().unwrap()).unwrap()
    }

    #[test]
    fn each_language_writes_its_own() {
        let slot = slot("2026-03-02T14:00:00Z", "2026-03-02T15:30:00Z");
        let told = |language| interval(slot, "Europe/Lisbon", language);
        assert_eq!(told(Language::En), "Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)");
        assert_eq!(told(Language::Pt), "seg., 2 de mar. de 2026, 14:00–15:30 (Europe/Lisbon)");
        assert_eq!(told(Language::Es), "lun, 2 mar 2026, 14:00–15:30 (Europe/Lisbon)");
    }

    #[test]
    fn zones_that_are_not_known_are_utc_and_nights_name_both_days() {
        let slot = slot("2026-03-02T14:00:00Z", "2026-03-02T16:00:00Z");
        assert_eq!(interval(slot, "No/Where", Language::En), "Mon 2 Mar 2026, 14:00–16:00 (UTC)");
        assert_eq!(
            interval(slot, "Asia/Tokyo", Language::En),
            "Mon 2 Mar 2026, 23:00 – Tue 3 Mar 2026, 01:00 (Asia/Tokyo)"
        );
        assert!(differ("Asia/Tokyo", "Europe/Lisbon", slot.starts_at()));
        assert!(!differ("Europe/London", "Europe/Lisbon", slot.starts_at()));
    }
}
