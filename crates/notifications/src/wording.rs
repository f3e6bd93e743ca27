//! The words of our own mails about bookings, in each language that we have; and which of them a reader gets.

pub mod account;
pub mod dates;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::Kind;

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

/// What happened to a booking, in words.
#[derive(Debug)]
pub struct Happened {
    /// In the subject.
    pub subject: &'static str,
    /// After greeting; `{}` stands for the booking's reference.
    pub sentence: &'static str,
    /// What the attached file does.
    pub calendar: &'static str,
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
    confirmed: Happened,
    moved: Happened,
    cancelled: Happened,
}

impl Words {
    /// What happened to a booking.
    #[must_use]
    pub const fn happened(&self, kind: Kind) -> &Happened {
        match kind {
            Kind::BookingConfirmed => &self.confirmed,
            Kind::BookingMoved => &self.moved,
            // The other kinds are of no booking.
            _ => &self.cancelled,
        }
    }
}

const EN: Words = Words {
    hello: "Hello",
    what: "What",
    place: "Where",
    when: "When",
    before: "Before",
    reason: "Reason",
    unsubscribe: "Send me no more mails of this kind",
    confirmed: Happened {
        subject: "Booking confirmed",
        sentence: "your booking {} is confirmed.",
        calendar: "The attached file adds it to your calendar.",
    },
    moved: Happened {
        subject: "Booking changed",
        sentence: "your booking {} has changed.",
        calendar: "The attached file updates it in your calendar.",
    },
    cancelled: Happened {
        subject: "Booking cancelled",
        sentence: "your booking {} was cancelled.",
        calendar: "The attached file removes it from your calendar.",
    },
};

const PT: Words = Words {
    hello: "Olá",
    what: "O quê",
    place: "Onde",
    when: "Quando",
    before: "Antes",
    reason: "Motivo",
    unsubscribe: "Não quero receber mais mensagens deste tipo",
    confirmed: Happened {
        subject: "Reserva confirmada",
        sentence: "a sua reserva {} está confirmada.",
        calendar: "O ficheiro em anexo adiciona-a ao seu calendário.",
    },
    moved: Happened {
        subject: "Reserva alterada",
        sentence: "a sua reserva {} foi alterada.",
        calendar: "O ficheiro em anexo atualiza-a no seu calendário.",
    },
    cancelled: Happened {
        subject: "Reserva cancelada",
        sentence: "a sua reserva {} foi cancelada.",
        calendar: "O ficheiro em anexo remove-a do seu calendário.",
    },
};

const ES: Words = Words {
    hello: "Hola",
    what: "Qué",
    place: "Dónde",
    when: "Cuándo",
    before: "Antes",
    reason: "Motivo",
    unsubscribe: "No quiero recibir más mensajes de este tipo",
    confirmed: Happened {
        subject: "Reserva confirmada",
        sentence: "su reserva {} está confirmada.",
        calendar: "El archivo adjunto la añade a su calendario.",
    },
    moved: Happened {
        subject: "Reserva modificada",
        sentence: "su reserva {} ha cambiado.",
        calendar: "El archivo adjunto la actualiza en su calendario.",
    },
    cancelled: Happened {
        subject: "Reserva cancelada",
        sentence: "su reserva {} ha sido cancelada.",
        calendar: "El archivo adjunto la elimina de su calendario.",
    },
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

    #[test]
    fn every_sentence_names_the_booking() {
        for language in Language::ALL {
            for kind in [Kind::BookingConfirmed, Kind::BookingMoved, Kind::BookingCancelled] {
                assert_eq!(language.words().happened(kind).sentence.matches("{}").count(), 1);
            }
        }
    }
}
