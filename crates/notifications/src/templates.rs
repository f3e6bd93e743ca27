//! What mails about bookings look like: a subject, a text and a page, of our own or as an organization wants them.

pub mod brand;
pub mod name;
pub mod page;
pub mod sandbox;
pub mod short;
pub mod values;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::{Facts, Kind};
use crate::wording::booking::happened;
use crate::wording::{Language, dates};
pub use values::{Reader, Values};

/// Kinds of messages that an organization can word anew.
/// New ones at the end: tokens in mails that were sent name them by their place.
pub const KINDS: [Kind; 13] = [
    Kind::BookingConfirmed,
    Kind::BookingMoved,
    Kind::BookingCancelled,
    Kind::BookingRequested,
    Kind::BookingRejected,
    Kind::BookingExpired,
    Kind::BookingOffered,
    Kind::BookingReminder,
    Kind::BookingNoShow,
    Kind::BookingFlagged,
    Kind::BookingTransferred,
    Kind::BookingCompleted,
    Kind::BookingApprovalNeeded,
];
/// Characters of one template at most.
pub const LONGEST: usize = 20_000;
/// Characters of one template of few words at most.
pub const LONGEST_SHORT: usize = 2_000;

const SUBJECT: &str = "{{ happened_short }}: {{ places_short }}, {{ when }}";
const TEXT: &str = include_str!("templates/booking.txt");
const HTML: &str = include_str!("templates/booking.html");

/// Templates of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, garde::Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MessageTemplate)]
pub struct Forms {
    /// The subject: a template of one line.
    #[schema(max_length = 20000, example = "{{ happened_short }}: {{ when }}")]
    #[garde(length(chars, max = LONGEST))]
    pub subject: String,
    /// The text for programs that show no pages.
    #[schema(max_length = 20000, example = "{{ greeting }}\n\n{{ happened }}")]
    #[garde(length(chars, max = LONGEST))]
    pub text: String,
    /// The page (HTML). Every value in it is escaped.
    #[schema(max_length = 20000, example = "<p>{{ greeting }}</p><p>{{ happened }}</p>")]
    #[garde(length(chars, max = LONGEST))]
    pub html: String,
    /// The short message, of 320 characters at most when it is made; ours when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{{ happened_short }}: {{ when }}")]
    #[garde(inner(length(chars, max = LONGEST_SHORT)))]
    pub sms: Option<String>,
    /// The title of a push, of 100 characters at most when it is made; ours when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{{ happened_short }}")]
    #[garde(inner(length(chars, max = LONGEST_SHORT)))]
    pub push_title: Option<String>,
    /// The line of a push, of 240 characters at most when it is made; ours when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{{ places_short }}")]
    #[garde(inner(length(chars, max = LONGEST_SHORT)))]
    pub push_body: Option<String>,
}

/// What the templates made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RenderedMessage)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The page.
    pub html: String,
}

/// The subject in a person's list. It names no person and has no words of theirs, so it may be kept.
#[must_use]
pub fn kept_subject(kind: Kind, facts: &Facts) -> String {
    let what = happened(Language::En, kind).subject;
    let when = dates::interval(facts.now.slot, facts.now.time_zone(), Language::En);
    format!("{what}: {}, {when}", facts.now.names())
}

/// Which template is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// `subject`, `text`, `html`, `sms`, `push_title` or `push_body`.
    pub field: &'static str,
    /// A sentence for who wrote it.
    pub detail: String,
}

impl Forms {
    /// Our own, the same for every language: the words are among the values.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            subject: SUBJECT.into(),
            text: TEXT.into(),
            html: HTML.into(),
            sms: None,
            push_title: None,
            push_body: None,
        }
    }

    /// The message.
    ///
    /// # Errors
    /// The first template that cannot be rendered within its limits.
    pub fn render(&self, values: &Values) -> Result<Rendered, Mistake> {
        let render = |field: &'static str, source: &str, html: bool| {
            sandbox::render(source, values, html).map_err(|detail| Mistake { field, detail })
        };
        let subject = crate::message::one_line(&render("subject", &self.subject, false)?);
        if subject.is_empty() {
            return Err(Mistake { field: "subject", detail: "The subject comes out empty.".into() });
        }
        for (field, source) in self.short() {
            render(field, source, false)?;
        }
        Ok(Rendered {
            subject,
            text: render("text", &self.text, false)?,
            html: render("html", &self.html, true)?,
        })
    }

    /// The templates of few words, which may be absent.
    fn short(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let forms = [("sms", &self.sms), ("push_title", &self.push_title), ("push_body", &self.push_body)];
        forms.into_iter().filter_map(|(field, source)| Some((field, source.as_deref()?)))
    }

    /// Everything that is wrong with them, found with values of every kind: with and without a title, a reason, a time
    /// before.
    #[must_use]
    pub fn mistakes(&self, kind: Kind) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (field, source) in [("subject", &self.subject), ("text", &self.text), ("html", &self.html)] {
            if source.chars().count() > LONGEST {
                let detail = format!("A template has {LONGEST} characters at most.");
                mistakes.push(Mistake { field, detail });
            }
        }
        if !mistakes.is_empty() {
            return mistakes;
        }
        match Values::samples(kind) {
            Ok(samples) => samples.iter().find_map(|values| self.render(values).err()).into_iter().collect(),
            Err(error) => vec![Mistake { field: "text", detail: error.to_string() }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_have_no_mistakes_and_every_language_its_words() {
        for kind in KINDS {
            assert_eq!(Forms::ours().mistakes(kind), []);
        }
        let values = Values::sample(Kind::BookingCancelled, Language::Pt).unwrap();
        let rendered = Forms::ours().render(&values).unwrap();
        assert!(rendered.subject.starts_with("Reserva cancelada: "), "{}", rendered.subject);
        assert!(rendered.text.starts_with("Olá ") && rendered.text.contains("\nOnde:"), "{}", rendered.text);
        assert!(rendered.html.contains("<html lang=\"pt\">"), "{}", rendered.html);
    }

    #[test]
    fn the_text_of_a_move_tells_the_old_time_and_not_the_place_that_stayed() {
        let values = Values::sample(Kind::BookingMoved, Language::En).unwrap();
        let expected = "Hello Ada Lovelace,\n\nyour booking R7K2-M9QD has changed.\n\n\
            What:    Design review\nWhere:   Blue Room (Main building, Campus)\n\
            When:    Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)\n\
            Before:  Mon 2 Mar 2026, 10:00–11:30 (Europe/Lisbon)\n\n\
            The attached file updates it in your calendar.\n";
        assert_eq!(Forms::ours().render(&values).unwrap().text.trim_end(), expected.trim_end());
    }

    #[test]
    fn a_page_escapes_what_people_write() {
        let mut values = Values::sample(Kind::BookingConfirmed, Language::En).unwrap();
        values.name = "<b>Ada</b>".into();
        values.greeting = "Hello <script>".into();
        let rendered = Forms::ours().render(&values).unwrap();
        assert!(rendered.html.contains("Hello &lt;script&gt;") && !rendered.html.contains("<script"));
        assert!(rendered.text.starts_with("Hello <script>"), "a text is no page");
    }

    #[test]
    fn mistakes_are_told_with_their_template() {
        let wrong = |change: fn(&mut Forms)| {
            let mut forms = Forms::ours();
            change(&mut forms);
            forms.mistakes(Kind::BookingMoved).into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|forms| forms.subject = "{{ nothing_of_the_kind }}".into()), ["subject"]);
        assert_eq!(wrong(|forms| forms.subject = " ".into()), ["subject"]);
        assert_eq!(wrong(|forms| forms.text = "{% if %}".into()), ["text"]);
        assert_eq!(wrong(|forms| forms.html = "{% for place in places %}".into()), ["html"]);
        assert_eq!(wrong(|forms| forms.html = "x".repeat(LONGEST + 1)), ["html"]);
    }
}
