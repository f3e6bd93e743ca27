//! What is said of a booking in a few words: on a screen that others see, or in a short message that costs by its length. What
//! the owner called the booking, and why something happened, are not in our own.

use super::{Forms, Values, sandbox};

const PUSH_TITLE: &str = "{{ happened_short }}";
const PUSH_BODY: &str = "{{ places_short }}, {{ when }}";
const SMS: &str =
    "{{ organization }}: {{ happened_short }}. {{ places_short }}, {{ when }} ({{ reference }})";

/// Characters of a push's title at most.
const LONGEST_TITLE: usize = 100;
/// Characters of a push's line at most: with the longest of them a push stays below the 4,096 bytes that all services take.
const LONGEST_BODY: usize = 240;
/// Characters of a short message at most: two to five of those that telephones put together.
const LONGEST_SMS: usize = 320;

/// The few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// A push's title.
    pub push_title: String,
    /// A push's line.
    pub push_body: String,
    /// A short message.
    pub sms: String,
}

impl Short {
    /// In the organization's words; in ours, where it has none or they come to nothing.
    ///
    /// # Errors
    /// When not even our own come to anything.
    pub fn of(theirs: Option<&Forms>, values: &Values) -> Result<Self, String> {
        let theirs = |form: fn(&Forms) -> &Option<String>| theirs.and_then(|forms| form(forms).as_deref());
        Ok(Self {
            push_title: say(theirs(|forms| &forms.push_title), PUSH_TITLE, values, LONGEST_TITLE)?,
            push_body: say(theirs(|forms| &forms.push_body), PUSH_BODY, values, LONGEST_BODY)?,
            sms: say(theirs(|forms| &forms.sms), SMS, values, LONGEST_SMS)?,
        })
    }
}

fn say(theirs: Option<&str>, ours: &str, values: &Values, longest: usize) -> Result<String, String> {
    let render = |source| sandbox::render(source, values, false).map(|text| cut(text.trim(), longest));
    if let Some(source) = theirs {
        match render(source) {
            Ok(text) if !text.is_empty() => return Ok(text),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error, "an organization's template cannot be rendered; ours is taken")
            }
        }
    }
    render(ours)
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Kind;
    use crate::wording::Language;

    #[test]
    fn they_are_short_and_in_the_readers_language() {
        let told = |kind, language| Short::of(None, &Values::sample(kind, language).unwrap()).unwrap();
        let moved = told(Kind::BookingMoved, Language::En);
        assert_eq!(moved.push_title, "Booking changed");
        assert_eq!(moved.push_body, "Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)");
        assert!(
            moved.sms.ends_with(
                "Booking changed. Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon) (R7K2-M9QD)"
            ),
            "{}",
            moved.sms
        );
        assert_eq!(told(Kind::BookingCancelled, Language::Pt).push_title, "Reserva cancelada");
        let mut values = Values::sample(Kind::BookingConfirmed, Language::Es).unwrap();
        values.places_short = "ä".repeat(5000);
        let short = Short::of(None, &values).unwrap();
        assert_eq!(short.push_title, "Reserva confirmada");
        for (text, longest) in [(short.push_body, LONGEST_BODY), (short.sms, LONGEST_SMS)] {
            assert!(text.chars().count() == longest && text.ends_with('…'), "{text}");
        }
    }

    #[test]
    fn an_organizations_words_come_first_unless_they_come_to_nothing() {
        let values = Values::sample(Kind::BookingMoved, Language::En).unwrap();
        let theirs =
            Forms { sms: Some("{{ reference }}!".into()), push_title: Some(" ".into()), ..Forms::ours() };
        let short = Short::of(Some(&theirs), &values).unwrap();
        assert_eq!((short.sms.as_str(), short.push_title.as_str()), ("R7K2-M9QD!", "Booking changed"));
    }
}
