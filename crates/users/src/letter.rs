//! Letters: mails about an account. How long each is good for, and the token that a link carries.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::users::LetterKind;
use jiff::SignedDuration;
use kernel::{LetterId, OrganizationId};
use platform::config::Secret;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Characters of a token: base64url of 16, 16 and 32 bytes.
pub const LENGTH: usize = 86;

/// Between two letters of one kind to one account at least, where a stranger who knows the address can ask for them.
#[must_use]
pub const fn pause(kind: LetterKind) -> SignedDuration {
    match kind {
        LetterKind::EmailVerification | LetterKind::RegistrationRepeated => SignedDuration::from_mins(5),
        LetterKind::Invitation | LetterKind::EmailChange | LetterKind::EmailChanged => SignedDuration::ZERO,
    }
}

/// How long a letter is good for.
#[must_use]
pub const fn lasts(kind: LetterKind) -> SignedDuration {
    match kind {
        LetterKind::EmailVerification
        | LetterKind::RegistrationRepeated
        | LetterKind::EmailChange
        | LetterKind::EmailChanged => SignedDuration::from_hours(48),
        LetterKind::Invitation => SignedDuration::from_hours(7 * 24),
    }
}

/// Whether its mail has a link with a token.
#[must_use]
pub const fn has_link(kind: LetterKind) -> bool {
    !matches!(kind, LetterKind::RegistrationRepeated | LetterKind::EmailChanged)
}

/// The token of a link. It names its organization, so that no look-up has to span organizations.
#[derive(Clone)]
pub struct LetterToken {
    /// Whose data the letter belongs to.
    pub organization: OrganizationId,
    /// The letter.
    pub letter: LetterId,
    secret: [u8; 32],
}

impl LetterToken {
    /// A new one.
    #[must_use]
    pub fn mint(organization: OrganizationId, letter: LetterId) -> Self {
        Self { organization, letter, secret: rand::random() }
    }

    /// The token of a text, if it has the form of one.
    #[must_use]
    pub fn parse(text: &Secret) -> Option<Self> {
        if text.expose().len() != LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.expose()).ok()?;
        let (organization, rest) = bytes.split_first_chunk()?;
        let (letter, rest) = rest.split_first_chunk()?;
        Some(Self {
            organization: OrganizationId(Uuid::from_bytes(*organization)),
            letter: LetterId(Uuid::from_bytes(*letter)),
            secret: rest.try_into().ok()?,
        })
    }

    /// What stands in the link.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes())
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }

    fn bytes(&self) -> Vec<u8> {
        [self.organization.0.as_bytes(), self.letter.0.as_bytes(), self.secret.as_slice()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let token = LetterToken::mint(OrganizationId::mint(), LetterId::mint());
        let read = LetterToken::parse(&Secret::from(token.text())).unwrap();
        assert_eq!(
            (read.organization, read.letter, read.hash()),
            (token.organization, token.letter, token.hash())
        );
        for text in [String::new(), token.text()[1..].to_owned(), "!".repeat(LENGTH)] {
            assert!(LetterToken::parse(&Secret::from(text)).is_none());
        }
    }
}
