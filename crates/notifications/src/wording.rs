//! The languages that we have words in, which of them a reader gets, and the words that all mails share.

pub mod account;
pub mod booking;
pub mod dates;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language that we have words in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = MessageLanguage)]
pub enum Language {
    /// English; also for readers of a language that we do not have.
    En,
    /// Portuguese.
    Pt,
    /// Spanish.
    Es,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::En, Self::Pt, Self::Es];

    /// The reader's, by their locale (BCP 47): `pt-BR` is Portuguese.
    #[must_use]
    pub fn of(locale: &str) -> Self {
        let primary = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.tag() == primary).unwrap_or(Self::En)
    }

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
            Self::Es => "es",
        }
    }

    /// Whether a count takes the singular (CLDR plural rules, cardinal; for whole numbers).
    #[must_use]
    pub const fn is_one(self, count: i64) -> bool {
        match self {
            Self::En | Self::Es => count == 1,
            Self::Pt => count == 0 || count == 1,
        }
    }

    /// Its words.
    #[must_use]
    pub const fn words(self) -> &'static Words {
        match self {
            Self::En => &EN,
            Self::Pt => &PT,
            Self::Es => &ES,
        }
    }
}

/// The words of a language.
#[derive(Debug)]
pub struct Words {
    /// Opens a mail; the name follows.
    pub hello: &'static str,
    /// Labels a title.
    pub what: &'static str,
    /// Labels places.
    pub place: &'static str,
    /// Labels a time.
    pub when: &'static str,
    /// Labels a place or time that holds no more.
    pub before: &'static str,
    /// Labels a reason.
    pub reason: &'static str,
    /// Leads to where one says what one wants to be told.
    pub unsubscribe: &'static str,
    /// Labels the time until which something is held.
    pub until: &'static str,
}

const EN: Words = Words {
    hello: "Hello",
    what: "What",
    place: "Where",
    when: "When",
    before: "Before",
    reason: "Reason",
    unsubscribe: "Send me no more mails of this kind",
    until: "Until",
};

const PT: Words = Words {
    hello: "Olá",
    what: "O quê",
    place: "Onde",
    when: "Quando",
    before: "Antes",
    reason: "Motivo",
    unsubscribe: "Não quero receber mais mensagens deste tipo",
    until: "Até",
};

const ES: Words = Words {
    hello: "Hola",
    what: "Qué",
    place: "Dónde",
    when: "Cuándo",
    before: "Antes",
    reason: "Motivo",
    unsubscribe: "No quiero recibir más mensajes de este tipo",
    until: "Hasta",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_their_language_or_english() {
        for (locale, language) in [
            ("pt-BR", Language::Pt),
            ("PT", Language::Pt),
            ("es_MX", Language::Es),
            ("en-GB", Language::En),
            ("de", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::of(locale), language, "{locale}");
        }
        assert!(Language::Pt.is_one(0) && !Language::Es.is_one(0) && Language::En.is_one(1));
    }
}
