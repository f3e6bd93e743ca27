//! What a push says of a booking: a few words and a line, in the reader's language and zone. Screens are seen by others:
//! what the owner called the booking, and why something happened, are not in it.

use jiff::{SignedDuration, Timestamp};

use crate::message::{Facts, Kind};
use crate::templates::{Values, sandbox};

const TITLE: &str = "{{ happened_short }}";
const BODY: &str = "{{ places_short }}, {{ when }}";

/// Characters of a title at most.
const LONGEST_TITLE: usize = 100;
/// Characters of a line at most: with the longest of them a push stays below the 4,096 bytes that all services take.
const LONGEST_BODY: usize = 240;
/// For how long a push is of use.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The title and the line.
///
/// # Errors
/// When the templates come to nothing.
pub fn words(values: &Values) -> Result<(String, String), String> {
    let render = |source, longest| sandbox::render(source, values, false).map(|text| cut(&text, longest));
    Ok((render(TITLE, LONGEST_TITLE)?, render(BODY, LONGEST_BODY)?))
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// From when on it is of no use: a day later, or when there is nothing to do about it any more.
#[must_use]
pub fn expires_at(kind: Kind, facts: &Facts, now: Timestamp) -> Timestamp {
    let end = match kind {
        Kind::BookingReminder => Some(facts.now.slot.starts_at()),
        Kind::BookingOffered => facts.until,
        _ => None,
    };
    let latest = now + LIFE;
    end.map_or(latest, |end| end.clamp(now, latest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wording::Language;

    #[test]
    fn a_push_is_short_and_in_the_readers_language() {
        let told = |kind, language| words(&Values::sample(kind, language).unwrap()).unwrap();
        let (title, body) = told(Kind::BookingMoved, Language::En);
        assert_eq!(title, "Booking changed");
        assert_eq!(body, "Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)");
        assert_eq!(told(Kind::BookingCancelled, Language::Pt).0, "Reserva cancelada");
        let mut values = Values::sample(Kind::BookingConfirmed, Language::Es).unwrap();
        values.places_short = "ä".repeat(5000);
        let (title, body) = words(&values).unwrap();
        assert_eq!(title, "Reserva confirmada");
        assert!(body.chars().count() == LONGEST_BODY && body.ends_with('…'), "{body}");
    }
}
