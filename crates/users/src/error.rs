//! Every way in which the user service fails.

use kernel::Kind;
use platform::http::Fault;

/// A failure that is the service's own to explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Wrong password, unknown account, closed account or unknown organization: one answer, so that none shows.
    #[error(
        "E-mail address and password do not match an account that may sign in. If you have just registered, follow the link in your mail first."
    )]
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
    /// Another organization has the slug, or had it.
    #[error("Another organization has this slug, or had it.")]
    SlugTaken,
    /// As many slugs as an organization can have had.
    #[error("An organization has at most 10 slugs, those that it had before among them. Take one of those.")]
    TooManySlugs,
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
    /// As many archives are being put together as can be at once.
    #[error("Others have their data exported right now. Try again.")]
    ExportsBusy,
    /// A person of whom one service holds more than fits into an archive.
    #[error(
        "One service holds more of this person than fits into an archive (16 MiB). The operator can read it out."
    )]
    ExportTooLarge,
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
    /// A session that is continued more often than any client needs.
    #[error("The session was continued too often. Wait a minute.")]
    TooManyRefreshes,
    /// A link that sets a password which is none, was used, is too old, or was replaced by a newer one.
    #[error("The link is not valid, or no more. Ask for another one.")]
    InvalidReset,
    /// More wishes for mails than can be looked into at once.
    #[error("Too many people ask for mails right now. Try again.")]
    MailsBusy,
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
    #[error("Nobody can give a permission that they do not have.")]
    BeyondOwnRights,
    /// A passkey's answer that is none, is of another account or place, or was shown before: one answer for all.
    #[error("The passkey was not accepted. Ask for it again.")]
    InvalidPasskey,
    /// An account has the passkey already.
    #[error("This passkey has been added already.")]
    PasskeyTaken,
    /// As many passkeys as an account can have.
    #[error("An account has at most 20 passkeys. Remove one first.")]
    TooManyPasskeys,
    /// Without this passkey the password would stand alone.
    #[error("This is the last second factor. Disable the second factor instead.")]
    LastSecondFactor,
    /// People reach the installation at no name, or nobody has said at which.
    #[error("Passkeys need a public host name: the operator sets RESERVAS_USERS_PUBLIC_URL.")]
    PasskeysUnavailable,
    /// As many keys as an account can have.
    #[error("An account has at most 50 keys. Revoke one first.")]
    TooManyApiKeys,
    /// More sign-ins than the machine can check.
    #[error("Too many passwords are being checked right now. Try again.")]
    HashingBusy,
    /// More imports than the database is to bear.
    #[error("Other imports are under way. Try again.")]
    ImportsBusy,
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
            | Self::TooManySlugs
            | Self::HostTaken
            | Self::GroupNameTaken
            | Self::TooManyGroups
            | Self::GroupNotEmpty
            | Self::TooManyGroupRules
            | Self::MemberByRule
            | Self::LastAdministrator => Kind::Conflict,
            Self::TooManyAttempts | Self::TooManyRefreshes => Kind::TooMany,
            Self::InvalidReset | Self::BeyondOwnRights => Kind::Forbidden,
            Self::InvalidChallenge | Self::InvalidCode | Self::InvalidPasskey | Self::SessionOver => {
                Kind::Unauthenticated
            }
            Self::SecondFactorEnabled
            | Self::NoSecondFactor
            | Self::SecondFactorDemanded
            | Self::PasskeyTaken
            | Self::TooManyPasskeys
            | Self::LastSecondFactor
            | Self::PasskeysUnavailable
            | Self::TooManyApiKeys => Kind::Conflict,
            Self::ExportTooLarge => Kind::Conflict,
            Self::HashingBusy | Self::MailsBusy | Self::ExportsBusy | Self::ImportsBusy => Kind::Unavailable,
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
            Self::TooManySlugs => "too_many_slugs",
            Self::HostTaken => "host_taken",
            Self::GroupNameTaken => "name_taken",
            Self::TooManyGroups => "too_many_groups",
            Self::GroupNotEmpty => "group_not_empty",
            Self::TooManyGroupRules => "too_many_group_rules",
            Self::MemberByRule => "member_by_rule",
            Self::LastAdministrator => "last_administrator",
            Self::TooManyAttempts => "too_many_attempts",
            Self::TooManyRefreshes => "too_many_refreshes",
            Self::InvalidReset => "invalid_reset",
            Self::InvalidChallenge => "invalid_challenge",
            Self::InvalidCode => "invalid_code",
            Self::SessionOver => "session_ended",
            Self::SecondFactorEnabled => "second_factor_enabled",
            Self::NoSecondFactor => "no_second_factor",
            Self::SecondFactorDemanded => "second_factor_demanded",
            Self::BeyondOwnRights => "beyond_own_rights",
            Self::InvalidPasskey => "invalid_passkey",
            Self::PasskeyTaken => "passkey_taken",
            Self::TooManyPasskeys => "too_many_passkeys",
            Self::LastSecondFactor => "last_second_factor",
            Self::PasskeysUnavailable => "passkeys_unavailable",
            Self::TooManyApiKeys => "too_many_api_keys",
            Self::HashingBusy => "hashing_busy",
            Self::MailsBusy => "mails_busy",
            Self::ExportsBusy => "exports_busy",
            Self::ExportTooLarge => "export_too_large",
            Self::ImportsBusy => "imports_busy",
        }
    }
}
