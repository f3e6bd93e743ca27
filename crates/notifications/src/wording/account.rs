//! What mails about accounts say, in each language that we have.
//!
//! Placeholders: `{when}`, `{until}`, `{failures}`, `{url}` and `{reason}`, where the message has them.

mod en;
mod es;
mod pt;

use contracts::users::{LetterKind, SecondFactorChange};

use super::Language;
use crate::account::AccountFacts;

/// A mail.
#[derive(Debug)]
pub struct Said {
    /// Its subject.
    pub subject: &'static str,
    /// What happened, after the greeting.
    pub message: &'static str,
    /// The words of its link; empty where it has none.
    pub button: &'static str,
}

/// All mails about accounts in a language.
#[derive(Debug)]
pub struct Words {
    /// `{until}`: how long a link works.
    pub link: &'static str,
    /// What to do when it was somebody else.
    pub not_you: &'static str,
    email_verification: Said,
    invitation: Said,
    email_change: Said,
    email_change_asked: Said,
    email_changed: Said,
    registration_repeated: Said,
    password_reset: Said,
    password_changed: Said,
    account_locked: Said,
    second_factor_enabled: Said,
    second_factor_disabled: Said,
    recovery_code_used: Said,
    recovery_codes_replaced: Said,
    passkey_added: Said,
    passkey_removed: Said,
    webhook_disabled: Said,
}

impl Words {
    /// Those of a language.
    #[must_use]
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &en::WORDS,
            Language::Pt => &pt::WORDS,
            Language::Es => &es::WORDS,
        }
    }

    /// A letter.
    #[must_use]
    pub const fn letter(&self, kind: LetterKind) -> &Said {
        match kind {
            LetterKind::EmailVerification => &self.email_verification,
            LetterKind::Invitation => &self.invitation,
            LetterKind::EmailChange => &self.email_change,
            LetterKind::EmailChangeAsked => &self.email_change_asked,
            LetterKind::EmailChanged => &self.email_changed,
            LetterKind::RegistrationRepeated => &self.registration_repeated,
        }
    }

    /// What happened to an account.
    #[must_use]
    pub const fn account(&self, facts: &AccountFacts) -> &Said {
        match facts {
            AccountFacts::PasswordResetRequested { .. } => &self.password_reset,
            AccountFacts::PasswordChanged => &self.password_changed,
            AccountFacts::AccountLocked { .. } => &self.account_locked,
            AccountFacts::WebhookDisabled { .. } => &self.webhook_disabled,
            AccountFacts::SecondFactorChanged { change } => match change {
                SecondFactorChange::Enabled => &self.second_factor_enabled,
                SecondFactorChange::Disabled => &self.second_factor_disabled,
                SecondFactorChange::RecoveryCodeUsed => &self.recovery_code_used,
                SecondFactorChange::RecoveryCodesReplaced => &self.recovery_codes_replaced,
                SecondFactorChange::PasskeyAdded => &self.passkey_added,
                SecondFactorChange::PasskeyRemoved => &self.passkey_removed,
            },
        }
    }

    #[cfg(test)]
    const fn all(&self) -> [&Said; 16] {
        [
            &self.email_verification,
            &self.invitation,
            &self.email_change,
            &self.email_change_asked,
            &self.email_changed,
            &self.registration_repeated,
            &self.password_reset,
            &self.password_changed,
            &self.account_locked,
            &self.second_factor_enabled,
            &self.second_factor_disabled,
            &self.recovery_code_used,
            &self.recovery_codes_replaced,
            &self.passkey_added,
            &self.passkey_removed,
            &self.webhook_disabled,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_the_same_things() {
        let english = Words::of(Language::En);
        for language in Language::ALL {
            let words = Words::of(language);
            assert!(words.link.contains("{until}"), "{language:?}");
            for (said, model) in words.all().into_iter().zip(english.all()) {
                assert!(!said.subject.is_empty(), "{language:?}: {}", model.subject);
                assert_eq!(
                    said.button.is_empty(),
                    model.button.is_empty(),
                    "{language:?}: {}",
                    model.subject
                );
                for placeholder in ["{when}", "{until}", "{failures}", "{url}", "{reason}"] {
                    let count = |said: &Said| said.message.matches(placeholder).count();
                    assert_eq!(count(said), count(model), "{language:?}: {} {placeholder}", model.subject);
                }
            }
        }
    }
}
