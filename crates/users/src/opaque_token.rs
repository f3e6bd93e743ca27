//! Tokens that are opaque to those who hold them, to us an organization, an id and a secret: of sessions, links, challenges.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{ChallengeId, LetterId, OrganizationId, PasswordResetId, SessionId};
use platform::config::Secret;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Characters of a token: base64url of 16, 16 and 32 bytes.
pub const LENGTH: usize = 86;

/// Continues a session, once.
pub type RefreshToken = OpaqueToken<SessionId>;
/// Sets a new password, once.
pub type ResetToken = OpaqueToken<PasswordResetId>;
/// Stands in the link of a letter, and works once.
pub type LetterToken = OpaqueToken<LetterId>;
/// Stands for the first of two factors.
pub type ChallengeToken = OpaqueToken<ChallengeId>;

/// A token for something with an id. It names its organization, so that no look-up has to span organizations.
#[derive(Clone)]
pub struct OpaqueToken<I> {
    /// Whose data it is about.
    pub organization: OrganizationId,
    /// What it is for.
    pub id: I,
    secret: [u8; 32],
}

impl<I: Copy + From<Uuid> + Into<Uuid>> OpaqueToken<I> {
    /// A new one.
    #[must_use]
    pub fn mint(organization: OrganizationId, id: I) -> Self {
        Self { organization, id, secret: rand::random() }
    }

    /// The token of a text, if it has the form of one.
    #[must_use]
    pub fn parse(text: &Secret) -> Option<Self> {
        if text.expose().len() != LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.expose()).ok()?;
        let (organization, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        Some(Self {
            organization: OrganizationId(Uuid::from_bytes(*organization)),
            id: I::from(Uuid::from_bytes(*id)),
            secret: rest.try_into().ok()?,
        })
    }

    /// What the client gets.
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
        let id: Uuid = self.id.into();
        [self.organization.0.as_bytes(), id.as_bytes(), self.secret.as_slice()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = RefreshToken::mint(OrganizationId::mint(), SessionId::mint());
        assert_eq!(token.text().len(), LENGTH);
        let read = RefreshToken::parse(&Secret::from(token.text())).unwrap();
        assert_eq!((read.organization, read.id, read.hash()), (token.organization, token.id, token.hash()));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let token = RefreshToken::mint(OrganizationId::mint(), SessionId::mint()).text();
        for text in
            [String::new(), token.replace(&token[..1], "="), format!("{token}A"), token[1..].to_owned()]
        {
            assert!(RefreshToken::parse(&Secret::from(text.clone())).is_none(), "{text}");
        }
    }
}
