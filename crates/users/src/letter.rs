//! Letters: mails about an account. How long each is good for.

use contracts::users::LetterKind;
use jiff::SignedDuration;

/// Between two letters of one kind to one account at least, where a stranger who knows the address can ask for them.
#[must_use]
pub const fn pause(kind: LetterKind) -> SignedDuration {
    match kind {
        LetterKind::EmailVerification | LetterKind::RegistrationRepeated | LetterKind::EmailChangeAsked => {
            SignedDuration::from_mins(5)
        }
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
        | LetterKind::EmailChangeAsked
        | LetterKind::EmailChanged => SignedDuration::from_hours(48),
        LetterKind::Invitation => SignedDuration::from_hours(7 * 24),
    }
}

/// Whether its mail has a link with a token.
#[must_use]
pub const fn has_link(kind: LetterKind) -> bool {
    !matches!(
        kind,
        LetterKind::RegistrationRepeated | LetterKind::EmailChangeAsked | LetterKind::EmailChanged
    )
}
