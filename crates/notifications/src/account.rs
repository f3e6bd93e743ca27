//! What a person is told of their account: facts, subject and words of each kind of message, in English.

use contracts::users::{ResetLink, SecondFactorChange};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kernel::PasswordResetId;
use serde::{Deserialize, Serialize};

use crate::message::one_line;

/// A link that sets a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Link {
    /// A link below `link_url`. The token stands after `#`, which browsers do not send: no server's log and no `Referer`
    /// ever shows it.
    #[must_use]
    pub fn new(link_url: &str, link: &ResetLink) -> Self {
        let url = format!("{}/reset-password#token={}", link_url.trim_end_matches('/'), link.token);
        Self { url, expires_at: link.expires_at }
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
    /// The subject of the mail.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::PasswordResetRequested { .. } => "Set a new password",
            Self::PasswordChanged => "Your password was changed",
            Self::WebhookDisabled { .. } => "A webhook was disabled",
            Self::AccountLocked { .. } => "Somebody tries to sign in with your account",
            Self::SecondFactorChanged { change: SecondFactorChange::Enabled } => {
                "Signing in takes a code now"
            }
            Self::SecondFactorChanged { change: SecondFactorChange::Disabled } => {
                "Signing in takes no code any more"
            }
            Self::SecondFactorChanged { change: SecondFactorChange::RecoveryCodeUsed } => {
                "A recovery code was used"
            }
            Self::SecondFactorChanged { change: SecondFactorChange::RecoveryCodesReplaced } => {
                "You have new recovery codes"
            }
            Self::SecondFactorChanged { change: SecondFactorChange::PasskeyAdded } => {
                "A passkey was added to your account"
            }
            Self::SecondFactorChanged { change: SecondFactorChange::PasskeyRemoved } => {
                "A passkey was removed from your account"
            }
        }
    }

    /// The text of the mail to someone called `name`, in their zone, at the time of the event.
    #[must_use]
    pub fn text(&self, name: &str, zone: &str, heard_at: Timestamp, link: Option<&Link>) -> String {
        let name = one_line(name);
        let hello = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
        let when = local(heard_at, zone);
        let body = match (self, link) {
            (Self::PasswordResetRequested { .. }, Some(link)) => {
                let until = local(link.expires_at, zone);
                return format!(
                    "{hello}\n\nTo set a new password, open\n\n{}\n\nIt works once, until {until}.\nIf you did not ask for \
                     it, there is nothing to do: your password stays as it is.\n",
                    link.url
                );
            }
            (Self::PasswordResetRequested { .. }, None) => "somebody asked for a new password.".to_owned(),
            (Self::PasswordChanged, _) => {
                format!(
                    "the password of your account was changed at {when}.\nWhoever was signed in elsewhere has been signed out."
                )
            }
            (Self::AccountLocked { until, failures }, _) => format!(
                "{failures} attempts in a row to sign in with your account failed, the last at {when}.\nIt takes none until {}. \
                 Then, or with a new password, you can sign in as ever.",
                local(*until, zone)
            ),
            (Self::SecondFactorChanged { change }, _) => format!("{} ({when}).", words(*change)),
            (Self::WebhookDisabled { url, reason }, _) => {
                return format!(
                    "{hello}\n\nthe webhook that leads to\n\n{}\n\nwas disabled at {when}, because {}.\nWhat waited for it was given \
                     up. Once it works again, it can be enabled, and what was given up sent again.\n",
                    one_line(url),
                    one_line(reason)
                );
            }
        };
        format!("{hello}\n\n{body}\n\nIf it was not you, set a new password and tell your administrator.\n")
    }
}

const fn words(change: SecondFactorChange) -> &'static str {
    match change {
        SecondFactorChange::Enabled => "from now on, signing in with your account takes a code of your app",
        SecondFactorChange::Disabled => "from now on, signing in with your account takes the password alone",
        SecondFactorChange::RecoveryCodeUsed => "one of your recovery codes was used up",
        SecondFactorChange::RecoveryCodesReplaced => {
            "you have new recovery codes, and the old ones are worth nothing"
        }
        SecondFactorChange::PasskeyAdded => "a passkey was added, which signs in with your account",
        SecondFactorChange::PasskeyRemoved => "a passkey was removed, and signs in with your account no more",
    }
}

/// `Mon 2 Mar 2026, 14:00 (Europe/Lisbon)`; a zone that this machine does not know is told as UTC, and says so.
fn local(instant: Timestamp, zone: &str) -> String {
    let (zone, name) = match TimeZone::get(zone) {
        Ok(known) => (known, zone),
        Err(_) => (TimeZone::UTC, "UTC"),
    };
    let moment: Zoned = instant.to_zoned(zone);
    format!("{} ({name})", moment.strftime("%a %-d %b %Y, %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_link_is_alone_on_its_line() {
        let facts = AccountFacts::PasswordResetRequested { reset_id: PasswordResetId::mint() };
        let expires_at = at("2026-03-02T09:00:00Z");
        let link = ResetLink { token: "abc".into(), expires_at };
        let link = Link::new("https://rooms.example.edu/", &link);
        let text = facts.text("Ada", "Europe/Vienna", at("2026-03-02T08:00:00Z"), Some(&link));
        assert!(text.contains("\n\nhttps://rooms.example.edu/reset-password#token=abc\n\n"), "{text}");
        assert!(text.contains("until Mon 2 Mar 2026, 10:00 (Europe/Vienna)"), "{text}");
        let text = facts.text("Ada\nBob", "No/Where", at("2026-03-02T08:00:00Z"), Some(&link));
        assert!(text.starts_with("Hello Ada Bob,\n") && text.contains("(UTC)"), "{text}");
    }

    #[test]
    fn a_lock_says_what_to_do() {
        let facts = AccountFacts::AccountLocked { until: at("2026-03-02T08:15:00Z"), failures: 10 };
        let text = facts.text("", "UTC", at("2026-03-02T08:00:00Z"), None);
        assert!(
            text.starts_with("Hello,\n\n10 attempts") && text.contains("until Mon 2 Mar 2026, 08:15 (UTC)"),
            "{text}"
        );
        assert!(text.ends_with("tell your administrator.\n"), "{text}");
    }
}
