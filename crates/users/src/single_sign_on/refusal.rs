//! Every way in which a sign-in through an identity provider fails.

use kernel::Kind;
use platform::http::Fault;

/// A failure of single sign-on that is the service's own to explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such organization, or it has no identity provider: one answer.
    #[error("There is no single sign-on here.")]
    Off,
    /// A state, request or code that is unknown, was used, is too old, or belongs to another browser or organization.
    #[error("The sign-in is not valid any more. Start again.")]
    Invalid,
    /// The provider said no, or takes not the code that it gave.
    #[error("The identity provider refused the sign-in.")]
    ProviderRefused,
    /// The provider does not answer, or says what nobody understands.
    #[error("The identity provider cannot be used right now. Try again.")]
    ProviderUnavailable,
    /// What the provider says of the person proves nothing.
    #[error("What the identity provider says does not prove who you are.")]
    NotProven,
    /// There is no account, and none may be made.
    #[error("You have no account here. Ask an administrator for one.")]
    NoAccount,
    /// The provider does not say that the address is the person's.
    #[error("The identity provider does not vouch for your e-mail address.")]
    EmailNotProven,
    /// There is an account with the address that nobody but its owner may link.
    #[error(
        "There is an account with your e-mail address. Sign in to it another way and link it, or ask an administrator."
    )]
    NotLinked,
    /// The account may not sign in.
    #[error("Your account is not active. Ask an administrator.")]
    Inactive,
    /// The provider says somebody else than whose session or account it is.
    #[error("You signed in at the identity provider as somebody else.")]
    SomebodyElse,
    /// A password is not enough any more.
    #[error("Your organization demands that you sign in through its identity provider.")]
    Demanded,
}

impl Fault for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Off => Kind::NotFound,
            Self::Invalid => Kind::Unauthenticated,
            Self::ProviderUnavailable => Kind::Unavailable,
            Self::NotLinked => Kind::Conflict,
            _ => Kind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Off => "no_single_sign_on",
            Self::Invalid => "invalid_sign_on",
            Self::ProviderRefused => "identity_provider_refused",
            Self::ProviderUnavailable => "identity_provider_unavailable",
            Self::NotProven => "identity_not_proven",
            Self::NoAccount => "no_account",
            Self::EmailNotProven => "identity_email_unverified",
            Self::NotLinked => "identity_not_linked",
            Self::Inactive => "account_inactive",
            Self::SomebodyElse => "other_identity",
            Self::Demanded => "single_sign_on_demanded",
        }
    }
}

/// What a client hears of a failure in the address that the browser is sent back to (RFC 6749, section 4.1.2.1).
#[must_use]
pub const fn error_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Unavailable => "temporarily_unavailable",
        Kind::Internal => "server_error",
        _ => "access_denied",
    }
}
