//! The token of the link by which a reader says that they want no more mails of a kind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{OrganizationId, UserId};
use uuid::Uuid;

use crate::message::Kind;
use crate::templates::KINDS;

/// What proves that somebody has a mail of that person: 128 bits by chance.
pub type Key = [u8; 16];

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// In which organization.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// Wants no more of what.
    pub kind: Kind,
    /// Proves it.
    pub key: Key,
}

impl Token {
    /// The token as text: 66 characters that need no escape in a URL.
    #[must_use]
    pub fn write(&self) -> String {
        let index = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        let mut bytes = Vec::with_capacity(49);
        bytes.extend_from_slice(self.organization.0.as_bytes());
        bytes.extend_from_slice(self.user.0.as_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.push(u8::try_from(index).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token of a text; none when it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes: [u8; 49] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (organization, rest) = bytes.split_first_chunk::<16>()?;
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (key, rest) = rest.split_first_chunk::<16>()?;
        let kind = *KINDS.get(usize::from(*rest.first()?))?;
        Some(Self {
            organization: OrganizationId(Uuid::from_bytes(*organization)),
            user: UserId(Uuid::from_bytes(*user)),
            kind,
            key: *key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_nothing_else_does() {
        let token = Token {
            organization: OrganizationId::mint(),
            user: UserId::mint(),
            kind: Kind::BookingMoved,
            key: [7; 16],
        };
        assert_eq!(Token::read(&token.write()), Some(token));
        for wrong in ["", "x", "01936f6e-0000-7000-8000-000000000000", &"A".repeat(65), &"_".repeat(66)] {
            assert_eq!(Token::read(wrong), None, "{wrong}");
        }
    }
}
