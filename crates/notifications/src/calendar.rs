//! iCalendar text for one booking: RFC 5545, sent as RFC 5546 says (an invitation, its update, its cancellation).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::Slot;

/// Octets of a line at most, without its end (RFC 5545, section 3.1).
const LINE: usize = 75;

/// What the text asks the reader's calendar to do (RFC 5546, section 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Put it in, or update it.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// The word that stands in the text and in the media type, which must agree (RFC 6047, section 2.4).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// Someone with an address.
#[derive(Debug, Clone, Copy)]
pub struct Party<'a> {
    /// Their name; may be empty.
    pub name: &'a str,
    /// Their mail address.
    pub email: &'a str,
}

/// A calendar entry.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What to do with it.
    pub method: Method,
    /// The same in all texts about one entry.
    pub uid: &'a str,
    /// Grows with every change: a calendar ignores what is older than what it has.
    pub sequence: i64,
    /// When this text was made.
    pub stamp: Timestamp,
    /// The time.
    pub slot: Slot,
    /// What it is.
    pub summary: &'a str,
    /// Where it is.
    pub location: &'a str,
    /// Who invites.
    pub organizer: Party<'a>,
    /// Who is invited.
    pub attendee: Party<'a>,
}

/// The entry as iCalendar text.
#[must_use]
pub fn write(entry: &Entry<'_>) -> String {
    let status = match entry.method {
        Method::Request => "CONFIRMED",
        Method::Cancel => "CANCELLED",
    };
    let attendee =
        format!("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE{}", party(entry.attendee));
    let lines = [
        "BEGIN:VCALENDAR".into(),
        "PRODID:-//Reservas//Reservas//EN".into(),
        "VERSION:2.0".into(),
        "CALSCALE:GREGORIAN".into(),
        format!("METHOD:{}", entry.method.word()),
        "BEGIN:VEVENT".into(),
        format!("UID:{}", text(entry.uid)),
        format!("SEQUENCE:{}", entry.sequence),
        format!("DTSTAMP:{}", utc(entry.stamp)),
        format!("DTSTART:{}", utc(entry.slot.starts_at())),
        format!("DTEND:{}", utc(entry.slot.ends_at())),
        format!("SUMMARY:{}", text(entry.summary)),
        format!("LOCATION:{}", text(entry.location)),
        format!("ORGANIZER{}", party(entry.organizer)),
        attendee,
        format!("STATUS:{status}"),
        "TRANSP:OPAQUE".into(),
        "END:VEVENT".into(),
        "END:VCALENDAR".into(),
    ];
    lines.iter().map(|line| fold(line)).collect()
}

/// A date with time in UTC (RFC 5545, section 3.3.5, form 2).
fn utc(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of type TEXT (RFC 5545, section 3.3.11). Control characters have no escape, and go.
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let normal = value.replace("\r\n", "\n").replace('\r', "\n");
    for character in normal.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// The end of a property that names someone: `;CN="…":mailto:…`.
fn party(party: Party<'_>) -> String {
    let name = parameter(party.name);
    let name = if name.is_empty() { name } else { format!(";CN=\"{name}\"") };
    format!("{name}:mailto:{}", address(party.email))
}

/// A quoted parameter's inside (RFC 5545, section 3.2; RFC 6868 for what quotes cannot hold).
fn parameter(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '^' => escaped.push_str("^^"),
            '"' => escaped.push_str("^'"),
            '\n' => escaped.push_str("^n"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// An address inside of a `mailto:` URI (RFC 6068, section 2).
fn address(email: &str) -> String {
    let mut encoded = String::with_capacity(email.len());
    for character in email.chars() {
        match character {
            '%' => encoded.push_str("%25"),
            '?' => encoded.push_str("%3F"),
            '#' => encoded.push_str("%23"),
            '&' => encoded.push_str("%26"),
            '"' => encoded.push_str("%22"),
            character if character.is_control() || character.is_whitespace() => {}
            character => encoded.push(character),
        }
    }
    encoded
}

/// A content line, folded between characters so that no line is over 75 octets, with its end.
fn fold(line: &str) -> String {
    let mut folded = String::with_capacity(line.len() + line.len() / LINE * 3 + 2);
    let mut octets = 0;
    for character in line.chars() {
        if octets + character.len_utf8() > LINE {
            folded.push_str("\r\n ");
            octets = 1;
        }
        folded.push(character);
        octets += character.len_utf8();
    }
    folded.push_str("\r\n");
    folded
}

#[cfg(test)]
mod tests {
    use calcard::icalendar::{ICalendar, ICalendarProperty, ICalendarValue};
    use proptest::prelude::*;

    use super::*;

    fn written(method: Method, summary: &str, name: &str) -> String {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        write(&Entry {
            method,
            uid: "1@reservas",
            sequence: 3,
            stamp: at("2026-03-01T09:00:00Z"),
            slot: Slot::new(at("2026-03-02T14:00:00Z"), at("2026-03-02T15:30:00Z")).unwrap(),
            summary,
            location: "Blue Room; Floor 1, Campus",
            organizer: Party { name: "Reservas", email: "reservas@localhost" },
            attendee: Party { name, email: "ada@example.com" },
        })
    }

    /// The first value of a property of the one event, as another implementation reads it.
    fn read(calendar: &str, property: &ICalendarProperty) -> Option<String> {
        let calendar = ICalendar::parse(calendar).unwrap();
        let event = calendar.components.iter().find(|component| component.component_type.is_event()).unwrap();
        match event.property(property)?.values.first()? {
            ICalendarValue::Text(text) => Some(text.clone()),
            value => Some(format!("{value:?}")),
        }
    }

    #[test]
    fn an_invitation() {
        let expected = "BEGIN:VCALENDAR\r\nPRODID:-//Reservas//Reservas//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\n\
             METHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@reservas\r\nSEQUENCE:3\r\nDTSTAMP:20260301T090000Z\r\n\
             DTSTART:20260302T140000Z\r\nDTEND:20260302T153000Z\r\nSUMMARY:Talk\\, with tea\r\n\
             LOCATION:Blue Room\\; Floor 1\\, Campus\r\nORGANIZER;CN=\"Reservas\":mailto:reservas@localhost\r\n\
             ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE;CN=\"Ada, L.\":mai\r\n lto:ada@example.com\r\n\
             STATUS:CONFIRMED\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(written(Method::Request, "Talk, with tea", "Ada, L."), expected);
    }

    #[test]
    fn a_cancellation() {
        let calendar = written(Method::Cancel, "Talk", "");
        assert!(calendar.contains("\r\nMETHOD:CANCEL\r\n") && calendar.contains("\r\nSTATUS:CANCELLED\r\n"));
    }

    proptest! {
        /// Whatever people write comes back from another implementation's parser, and no line is too long.
        #[test]
        fn another_parser_reads_what_was_written(summary in "[^\\p{Cc}]{1,200}", name in "\\PC{0,90}") {
            let calendar = written(Method::Request, &summary, &name);
            prop_assert!(calendar.split("\r\n").all(|line| line.len() <= LINE));
            prop_assert_eq!(read(&calendar, &ICalendarProperty::Summary), Some(summary));
            prop_assert_eq!(read(&calendar, &ICalendarProperty::Uid), Some("1@reservas".to_owned()));
        }

        /// No text, with whatever control characters, adds a line of its own.
        #[test]
        fn no_text_adds_a_property(summary in any::<String>(), name in any::<String>()) {
            let calendar = written(Method::Request, &summary, &name).replace("\r\n ", "");
            prop_assert_eq!(calendar.lines().count(), 19);
            prop_assert_eq!(calendar.matches('\n').count(), calendar.matches("\r\n").count());
        }

        #[test]
        fn unfolding_gives_the_line_back(line in "\\PC{0,300}") {
            prop_assert_eq!(fold(&line).replace("\r\n ", ""), format!("{line}\r\n"));
        }
    }
}
