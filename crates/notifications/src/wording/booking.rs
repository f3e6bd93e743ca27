//! What happened to a booking, in words.

mod en;
mod es;
mod pt;

use super::Language;
use crate::message::Kind;

/// What happened to a booking, in words.
#[derive(Debug, Clone, Copy)]
pub struct Happened {
    /// In the subject.
    pub subject: &'static str,
    /// After greeting; `{}` stands for the booking's reference.
    pub sentence: &'static str,
    /// What the attached file does; empty when there is none.
    pub calendar: &'static str,
}

/// What happened to a booking, in a language. Of what is about no booking there is nothing to say here.
#[must_use]
pub fn happened(language: Language, kind: Kind) -> Happened {
    let table = match language {
        Language::En => en::HAPPENED,
        Language::Pt => pt::HAPPENED,
        Language::Es => es::HAPPENED,
    };
    let found = table.iter().find(|(listed, _)| *listed == kind).map(|(_, happened)| *happened);
    found.unwrap_or(Happened { subject: "", sentence: "{}", calendar: "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::KINDS;

    #[test]
    fn every_kind_has_words_in_every_language_and_every_sentence_names_the_booking() {
        for (language, kind) in Language::ALL.into_iter().flat_map(|one| KINDS.map(|kind| (one, kind))) {
            let happened = happened(language, kind);
            assert!(!happened.subject.is_empty(), "{language:?} {kind:?}");
            assert_eq!(happened.sentence.matches("{}").count(), 1, "{language:?} {kind:?}");
        }
    }
}
