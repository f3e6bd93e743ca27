//! Every way in which the user service fails.

use kernel::Kind;
use platform::http::Fault;

/// A failure that is the service's own to explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Wrong password, unknown account, closed account or unknown organization: one answer, so that none shows.
    #[error("E-mail address and password do not match an account that may sign in.")]
    InvalidCredentials,
    /// A refresh token that is none, is not known, or is of a session that is over.
    #[error("The refresh token is not valid. Sign in again.")]
    InvalidRefreshToken,
    /// A refresh token that was used before: whoever stole it, the session ends for both.
    #[error("The refresh token was used before, so its session has been ended. Sign in again.")]
    RefreshTokenReused,
    /// The password that proves who changes it is not the account's.
    #[error("The current password is another.")]
    WrongPassword,
    /// Strangers may not register, or there is no such organization: one answer, so that neither shows.
    #[error("Registration is not open here. Ask an administrator for an account.")]
    RegistrationClosed,
    /// The password is right, and the organization demands that the address be verified first.
    #[error("Verify your e-mail address first: a link was mailed to it, and can be sent again.")]
    EmailNotVerified,
    /// A link that is none of ours, was used, has run out, or was replaced by a later one.
    #[error("The link is not valid any more. Have another one sent.")]
    InvalidLink,
    /// Another account of the organization has the e-mail address.
    #[error("There is an account with this e-mail address already.")]
    EmailTaken,
    /// Another organization has the slug.
    #[error("There is an organization with this slug already.")]
    SlugTaken,
    /// Another organization is reached by the host name.
    #[error("Another organization has one of the host names.")]
    HostTaken,
    /// Another group of the organization has the name.
    #[error("There is a group with this name already.")]
    GroupNameTaken,
    /// As many groups as an organization can have.
    #[error("An organization has at most 1,000 groups.")]
    TooManyGroups,
    /// Members have to leave first, so that each of them is told.
    #[error("The group has members. Take them out first.")]
    GroupNotEmpty,
    /// Without this account nobody could administer the organization.
    #[error("This is the last active administrator. Make another one first.")]
    LastAdministrator,
    /// More sign-ins than the machine can check.
    #[error("Too many passwords are being checked right now. Try again.")]
    HashingBusy,
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidCredentials | Self::InvalidRefreshToken | Self::RefreshTokenReused => {
                Kind::Unauthenticated
            }
            Self::WrongPassword | Self::RegistrationClosed | Self::EmailNotVerified => Kind::Forbidden,
            Self::InvalidLink => Kind::Invalid,
            Self::EmailTaken
            | Self::SlugTaken
            | Self::HostTaken
            | Self::GroupNameTaken
            | Self::TooManyGroups
            | Self::GroupNotEmpty
            | Self::LastAdministrator => Kind::Conflict,
            Self::HashingBusy => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::WrongPassword => "wrong_password",
            Self::RegistrationClosed => "registration_closed",
            Self::EmailNotVerified => "email_not_verified",
            Self::InvalidLink => "invalid_link",
            Self::EmailTaken => "email_taken",
            Self::SlugTaken => "slug_taken",
            Self::HostTaken => "host_taken",
            Self::GroupNameTaken => "name_taken",
            Self::TooManyGroups => "too_many_groups",
            Self::GroupNotEmpty => "group_not_empty",
            Self::LastAdministrator => "last_administrator",
            Self::HashingBusy => "hashing_busy",
        }
    }
}
