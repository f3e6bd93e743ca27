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
    /// As many groups with a rule as an organization can have.
    #[error("An organization has at most 100 groups with a rule.")]
    TooManyGroupRules,
    /// Whom a rule has in a group cannot be taken out by hand.
    #[error("The rule of the group has them in it. Change the rule, or what it looks at.")]
    MemberByRule,
    /// Without this account nobody could administer the organization.
    #[error("This is the last active administrator. Make another one first.")]
    LastAdministrator,
    /// Too many wrong passwords or codes in a row, for the account or from the address; also where there is no account.
    #[error("Too many attempts failed. Wait before you try again.")]
    TooManyAttempts,
    /// A link that sets a password which is none, was used, is too old, or was replaced by a newer one.
    #[error("The link is not valid, or no more. Ask for another one.")]
    InvalidReset,
    /// More wishes for mails than can be looked into at once.
    #[error("Too many people ask for a new password right now. Try again.")]
    ResetsBusy,
    /// A challenge that is none, was met, or is too old.
    #[error("The sign-in took too long. Start again with the password.")]
    InvalidChallenge,
    /// A code that is wrong, or was used.
    #[error("The code is not right, or was used before.")]
    InvalidCode,
    /// The session of an access token that has not expired yet.
    #[error("The session is over. Sign in again.")]
    SessionOver,
    /// Signing in takes a second factor already.
    #[error("There is a second factor already. Disable it first.")]
    SecondFactorEnabled,
    /// There is no second factor to confirm, replace or disable.
    #[error("There is no second factor.")]
    NoSecondFactor,
    /// The organization demands a second factor of the account's role.
    #[error("The organization demands a second factor of your role.")]
    SecondFactorDemanded,
    /// Nobody can give others more than they have.
    #[error("A key can have no permission that you do not have.")]
    BeyondOwnRights,
    /// As many keys as an account can have.
    #[error("An account has at most 50 keys. Revoke one first.")]
    TooManyApiKeys,
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
            | Self::TooManyGroupRules
            | Self::MemberByRule
            | Self::LastAdministrator => Kind::Conflict,
            Self::TooManyAttempts => Kind::TooMany,
            Self::InvalidReset | Self::BeyondOwnRights => Kind::Forbidden,
            Self::InvalidChallenge | Self::InvalidCode | Self::SessionOver => Kind::Unauthenticated,
            Self::SecondFactorEnabled
            | Self::NoSecondFactor
            | Self::SecondFactorDemanded
            | Self::TooManyApiKeys => Kind::Conflict,
            Self::HashingBusy | Self::ResetsBusy => Kind::Unavailable,
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
            Self::TooManyGroupRules => "too_many_group_rules",
            Self::MemberByRule => "member_by_rule",
            Self::LastAdministrator => "last_administrator",
            Self::TooManyAttempts => "too_many_attempts",
            Self::InvalidReset => "invalid_reset",
            Self::InvalidChallenge => "invalid_challenge",
            Self::InvalidCode => "invalid_code",
            Self::SessionOver => "session_ended",
            Self::SecondFactorEnabled => "second_factor_enabled",
            Self::NoSecondFactor => "no_second_factor",
            Self::SecondFactorDemanded => "second_factor_demanded",
            Self::BeyondOwnRights => "beyond_own_rights",
            Self::TooManyApiKeys => "too_many_api_keys",
            Self::HashingBusy => "hashing_busy",
            Self::ResetsBusy => "resets_busy",
        }
    }
}
