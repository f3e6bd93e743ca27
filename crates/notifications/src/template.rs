//! The words of each kind of message, in English: a subject, and a text for the person.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kernel::Slot;

use crate::message::{Appointment, Facts, Kind, one_line};

/// The subject. It names no person and has no words of theirs, so it may be kept.
#[must_use]
pub fn subject(kind: Kind, facts: &Facts) -> String {
    let what = match kind {
        Kind::BookingConfirmed => "Booking confirmed",
        Kind::BookingMoved => "Booking changed",
        // The other kinds are of no booking.
        _ => "Booking cancelled",
    };
    format!("{what}: {}, {}", facts.now.names(), when(&facts.now))
}

/// The text of a mail to someone called `name`, about a booking they called `title`.
#[must_use]
pub fn text(kind: Kind, facts: &Facts, name: &str, title: Option<&str>) -> String {
    let name = one_line(name);
    let mut text = if name.is_empty() { "Hello,\n\n".to_owned() } else { format!("Hello {name},\n\n") };
    let (happened, calendar) = match kind {
        Kind::BookingConfirmed => ("is confirmed", "adds it to"),
        Kind::BookingMoved => ("has changed", "updates it in"),
        _ => ("was cancelled", "removes it from"),
    };
    text.push_str(&format!("your booking {} {happened}.\n\n", facts.reference));
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<8} {value}\n"));
    if let Some(title) = title.map(one_line).filter(|title| !title.is_empty()) {
        line("What:", &title);
    }
    line("Where:", &facts.now.addresses());
    line("When:", &when(&facts.now));
    if let Some(before) = &facts.before {
        if before.places != facts.now.places {
            line("Before:", &before.addresses());
        }
        if before.slot != facts.now.slot {
            line("Before:", &when(before));
        }
    }
    if let Some(reason) = facts.reason.as_deref().map(one_line).filter(|reason| !reason.is_empty()) {
        line("Reason:", &reason);
    }
    text.push_str(&format!("\nThe attached file {calendar} your calendar.\n"));
    text
}

/// A time as people at the place read it: `Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)`.
///
/// A zone that this machine does not know is told as UTC, and says so.
#[must_use]
pub fn when(appointment: &Appointment) -> String {
    let (zone, name) = match TimeZone::get(appointment.time_zone()) {
        Ok(zone) => (zone, appointment.time_zone()),
        Err(_) => (TimeZone::UTC, "UTC"),
    };
    format!("{} ({name})", interval(appointment.slot, &zone))
}

fn interval(slot: Slot, zone: &TimeZone) -> String {
    let local = |instant: Timestamp| instant.to_zoned(zone.clone());
    let (start, end) = (local(slot.starts_at()), local(slot.ends_at()));
    if start.date() == end.date() {
        return format!("{}–{}", day_and_time(&start), end.strftime("%H:%M"));
    }
    format!("{} – {}", day_and_time(&start), day_and_time(&end))
}

fn day_and_time(moment: &Zoned) -> String {
    moment.strftime("%a %-d %b %Y, %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Place;

    fn appointment(from: &str, to: &str, zone: &str) -> Appointment {
        let place = Place {
            name: "Blue Room".into(),
            units: 1,
            time_zone: zone.into(),
            location_names: vec!["Campus".into(), "Main building".into()],
        };
        Appointment {
            slot: Slot::new(from.parse().unwrap(), to.parse().unwrap()).unwrap(),
            places: vec![place],
        }
    }

    fn facts(before: Option<Appointment>, reason: Option<&str>) -> Facts {
        let now = appointment("2026-03-02T14:00:00Z", "2026-03-02T15:30:00Z", "Europe/Lisbon");
        Facts { reference: "R7K2-M9QD".into(), version: 1, now, before, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn times_are_the_places_own() {
        let told = |from, to, zone| when(&appointment(from, to, zone));
        let summer = told("2026-07-01T14:00:00Z", "2026-07-01T15:30:00Z", "Europe/Lisbon");
        assert_eq!(summer, "Wed 1 Jul 2026, 15:00–16:30 (Europe/Lisbon)");
        let night = told("2026-03-02T14:00:00Z", "2026-03-02T16:00:00Z", "Asia/Tokyo");
        assert_eq!(night, "Mon 2 Mar 2026, 23:00 – Tue 3 Mar 2026, 01:00 (Asia/Tokyo)");
        assert_eq!(
            told("2026-03-02T14:00:00Z", "2026-03-02T16:00:00Z", "No/Where"),
            "Mon 2 Mar 2026, 14:00–16:00 (UTC)"
        );
    }

    #[test]
    fn confirmed() {
        let facts = facts(None, None);
        let subject = subject(Kind::BookingConfirmed, &facts);
        assert_eq!(subject, "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)");
        let expected = "Hello Ada,\n\nyour booking R7K2-M9QD is confirmed.\n\n\
            What:    Tea\nWhere:   Blue Room (Main building, Campus)\n\
            When:    Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)\n\nThe attached file adds it to your calendar.\n";
        assert_eq!(text(Kind::BookingConfirmed, &facts, "Ada", Some("Tea")), expected);
    }

    #[test]
    fn moved_tells_the_old_time_and_not_the_place_that_stayed() {
        let before = appointment("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", "Europe/Lisbon");
        let text = text(Kind::BookingMoved, &facts(Some(before), None), "Ada", None);
        assert_eq!(text.matches("Before:").count(), 1);
        assert!(text.contains("Before:  Mon 2 Mar 2026, 10:00–11:00 (Europe/Lisbon)\n"), "{text}");
    }

    #[test]
    fn nothing_that_people_write_adds_a_line() {
        let text = text(
            Kind::BookingCancelled,
            &facts(None, Some("ill\n\nWhen: never")),
            "A\nB",
            Some("T\r\nWhere: x"),
        );
        assert!(text.starts_with("Hello A B,\n"), "{text}");
        assert!(
            text.contains("What:    T Where: x\n") && text.contains("Reason:  ill When: never\n"),
            "{text}"
        );
    }
}
