//! What a person is told of their account: the facts of each kind of message; the words are in `wording::account`.

use contracts::users::{ResetLink, SecondFactorChange};
use jiff::Timestamp;
use kernel::PasswordResetId;
use serde::{Deserialize, Serialize};

use crate::templates::Reader;
use crate::templates::page::{Lead, Page, address};
use crate::wording::account::Words;
use crate::wording::{Language, dates};

/// A link that sets a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Link {
    /// A link below `link_url`.
    #[must_use]
    pub fn new(link_url: &str, link: &ResetLink) -> Self {
        Self { url: address(link_url, "reset-password", &link.token), expires_at: link.expires_at }
    }
}

/// What happened to an account. Nothing of it opens anything: a link is asked for when the mail is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum AccountFacts {
    /// Someone asked for a link that sets a new password.
    PasswordResetRequested {
        /// What the link is asked for by.
        reset_id: PasswordResetId,
    },
    /// The password is another.
    PasswordChanged,
    /// Too many attempts to sign in failed.
    AccountLocked {
        /// Until when it takes none.
        until: Timestamp,
        /// How many failed.
        failures: i32,
    },
    /// A second factor came to be, was used in need, or is no more.
    SecondFactorChanged {
        /// What happened.
        change: SecondFactorChange,
    },
    /// A webhook of theirs is told nothing more.
    WebhookDisabled {
        /// Where it led.
        url: String,
        /// Why.
        reason: String,
    },
}

impl AccountFacts {
    /// What a person's list of messages says. It names no person and has no words of theirs, so it may be kept.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        Words::of(Language::En).account(self).subject
    }

    /// The mail to a reader, about what was heard at a time.
    #[must_use]
    pub fn page(&self, reader: &Reader<'_>, heard_at: Timestamp, link: Option<&Link>) -> Page {
        let told = |at: Timestamp| dates::moment(at, reader.time_zone, reader.language);
        let words = Words::of(reader.language);
        let mut values = vec![("when", told(heard_at))];
        match self {
            Self::AccountLocked { until, failures } => {
                values.extend([("until", told(*until)), ("failures", failures.to_string())]);
            }
            Self::WebhookDisabled { url, reason } => {
                values.extend([("url", url.clone()), ("reason", reason.clone())]);
            }
            _ => {}
        }
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let lead = link.map(|link| Lead { url: link.url.clone(), until: told(link.expires_at) });
        let page = Page::new(reader, words.account(self), &values, lead);
        match self {
            Self::PasswordResetRequested { .. } | Self::WebhookDisabled { .. } => page,
            _ => page.warning(words.not_you),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::users::Branding;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn text(facts: &AccountFacts, name: &str, language: Language, zone: &str, link: Option<&Link>) -> String {
        let branding = Branding { primary: "#1a5fb4".into(), accent: "#26a269".into() };
        let (time_zone, organization) = (zone, "Lab");
        let reader = Reader { name, language, time_zone, organization, branding: &branding };
        facts.page(&reader, at("2026-03-02T08:00:00Z"), link).render().unwrap().text
    }

    #[test]
    fn a_link_is_alone_on_its_line() {
        let facts = AccountFacts::PasswordResetRequested { reset_id: PasswordResetId::mint() };
        let link = ResetLink { token: "abc".into(), expires_at: at("2026-03-02T09:00:00Z") };
        let link = Link::new("https://rooms.example.edu/", &link);
        let told = text(&facts, "Ada", Language::En, "Europe/Vienna", Some(&link));
        assert!(told.contains("\n\nhttps://rooms.example.edu/reset-password#token=abc\n\n"), "{told}");
        assert!(told.contains("until Mon 2 Mar 2026, 10:00 (Europe/Vienna)"), "{told}");
        let told = text(&facts, "Ada\nBob", Language::En, "No/Where", Some(&link));
        assert!(told.starts_with("Hello Ada Bob,\n") && told.contains("(UTC)"), "{told}");
    }

    #[test]
    fn a_lock_says_what_to_do_in_the_readers_language() {
        let facts = AccountFacts::AccountLocked { until: at("2026-03-02T08:15:00Z"), failures: 10 };
        let told = text(&facts, "", Language::En, "UTC", None);
        assert!(told.starts_with("Hello,\n\n10 attempts"), "{told}");
        assert!(told.contains("until Mon 2 Mar 2026, 08:15 (UTC)"), "{told}");
        assert!(told.ends_with("tell your administrator.\n\nLab"), "{told}");
        let told = text(&facts, "Ada", Language::Pt, "Europe/Lisbon", None);
        assert!(told.starts_with("Olá Ada,\n\nfalharam 10 tentativas"), "{told}");
        assert!(told.contains("até seg., 2 de mar. de 2026, 08:15 (Europe/Lisbon)"), "{told}");
    }
}
