//! What becomes of messages after a provider took them, as the providers tell by call-backs.

pub mod sendgrid;
pub mod sns;
pub mod twilio;

use jiff::{SignedDuration, Timestamp};
use kernel::{DeliveryId, Email, OrganizationId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::suppression::Reason;

/// News that are older are not taken: providers try for a day at most, and what is played to us again later is of no use.
const OLDEST: SignedDuration = SignedDuration::from_hours(25);
/// How far a provider's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// Bytes of a call-back at most.
pub const LONGEST: usize = 1024 * 1024;
/// Characters of a provider's words that are kept.
const WORDS: usize = 500;

/// What became of a message. A later one takes the place of an earlier one, never the other way round, in whatever order
/// they are heard.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = DeliveryFate)]
pub enum Fate {
    /// The receiving side has it.
    Delivered,
    /// Its reader has opened it.
    Opened,
    /// It did not get there, and another may.
    Undelivered,
    /// It did not get there, and none will.
    Bounced,
    /// Its reader calls it unwanted.
    Complained,
}

impl Fate {
    /// Why the address gets no more mail after that, if so.
    #[must_use]
    pub const fn suppresses(self) -> Option<Reason> {
        match self {
            Self::Bounced => Some(Reason::Bounced),
            Self::Complained => Some(Reason::Complained),
            Self::Delivered | Self::Opened | Self::Undelivered => None,
        }
    }
}

/// What a provider tells of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// In which organization, as we told it.
    pub organization: OrganizationId,
    /// Of which delivery, as we told it.
    pub delivery: DeliveryId,
    /// What became of it.
    pub fate: Fate,
    /// Why, in the provider's words, without the address.
    pub words: Option<String>,
    /// The address, where it is one of mail and the provider names it.
    pub email: Option<Email>,
}

/// Whether news of a time are taken.
#[must_use]
pub fn is_timely(at: Timestamp, now: Timestamp) -> bool {
    (now - OLDEST..=now + AHEAD).contains(&at)
}

/// Words that may be kept: providers repeat addresses, and addresses are not ours to keep.
fn words(text: &str, email: Option<&Email>) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match email {
        Some(email) if text.to_lowercase().contains(email.as_str()) => {
            text.to_lowercase().replace(email.as_str(), "[address]")
        }
        _ => text,
    };
    Some(text.chars().take(WORDS).collect()).filter(|text: &String| !text.is_empty())
}
