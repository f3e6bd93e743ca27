//! What the user service publishes and answers to other services.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::{
    ApiKeyId, Email, Event, GroupId, OrganizationId, PasswordResetId, Remit, Role, SessionId, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! event {
    ($name:ident, $type:literal, $stream:literal, $id:ident) => {
        impl Event for $name {
            const TYPE: &'static str = $type;
            const STREAM: &'static str = $stream;

            fn stream_id(&self) -> Uuid {
                self.$id.0
            }
        }
    };
}

mod groups;
mod letters;
mod single_sign_on;

pub use groups::{GroupChanged, GroupRule};
pub use letters::{InvitationCreated, InvitationEnded, Letter, LetterKind, LetterRequested};
pub use single_sign_on::{IdentityLinked, IdentityUnlinked, SingleSignOn, SingleSignOnChanged};

/// An organization came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationCreated {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its short name, unique in the installation.
    pub slug: String,
}
event!(OrganizationCreated, "reservas.organization.created.v1", "organization", organization_id);

/// What an administrator sets for an organization; whether it is active, the operator says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationSettings {
    /// Its short name, with which its people sign in; unique in the installation.
    #[schema(example = "tu-wien")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Example University")]
    pub name: String,
    /// The zone of its accounts until they choose another (IANA).
    #[schema(example = "Europe/Vienna")]
    pub time_zone: String,
    /// The language of its accounts until they choose another (BCP 47).
    #[schema(example = "en-GB")]
    pub locale: String,
    /// Whether its people may sign in: the installation's operator says so.
    pub active: bool,
    /// Whether strangers may register.
    pub self_registration: bool,
    /// Host names that lead to it where people sign in.
    #[schema(example = json!(["booking.example.edu"]))]
    pub hosts: BTreeSet<String>,
    /// Domains whose addresses may register; empty: all.
    #[schema(example = json!(["example.edu"]))]
    pub email_domains: BTreeSet<String>,
    /// Whether an address has to be verified before its owner may sign in.
    pub verification: Verification,
    /// Minutes without a refresh after which a session is over: 5 to 525600.
    pub session_idle_minutes: u32,
    /// Days after which a session is over: 1 to 365; the installation's limit holds as well.
    pub session_absolute_days: u32,
    /// Characters of a new password at least: 8 to 64; the installation's limit holds as well.
    pub password_min_length: u32,
    /// The colours of its mails and pages.
    pub branding: Branding,
}

/// Whether an address has to be verified before its owner may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// As the installation has it: demanded once it can send mails.
    Installation,
    /// It has to.
    Demanded,
    /// It need not.
    Optional,
}

/// Colours, as `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Branding {
    /// Of headings and buttons.
    #[schema(example = "#1a5fb4")]
    pub primary: String,
    /// Of what stands out beside them.
    #[schema(example = "#26a269")]
    pub accent: String,
}

/// An organization's settings changed, or it was disabled or enabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationChanged {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its settings before.
    pub before: OrganizationSettings,
    /// Its settings after.
    pub after: OrganizationSettings,
    /// The names of the settings that changed.
    pub fields: Vec<String>,
}
event!(OrganizationChanged, "reservas.organization.changed.v1", "organization", organization_id);

/// What others may know of an account without knowing the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its highest role.
    pub role: Role,
    /// Whether it may sign in.
    pub active: bool,
    /// Grows by one with every change; 0 in events older than this field.
    #[serde(default)]
    pub version: i64,
    /// The groups it is in.
    #[serde(default)]
    pub groups: BTreeSet<GroupId>,
    /// The places and people that it is limited to, as a manager's; none for the whole organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remit: Option<Remit>,
}

/// An account came to be, by registration or by an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCreated {
    /// The account.
    pub user_id: UserId,
    /// Its state.
    pub account: Account,
}
event!(UserCreated, "reservas.user.created.v1", "user", user_id);

/// An account changed; personal details are named, not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserChanged {
    /// The account.
    pub user_id: UserId,
    /// Its state before.
    pub before: Account,
    /// Its state after.
    pub after: Account,
    /// The names of all fields that changed.
    pub fields: Vec<String>,
}
event!(UserChanged, "reservas.user.changed.v1", "user", user_id);

/// An account was removed: whoever keeps something of the person forgets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRemoved {
    /// The account.
    pub user_id: UserId,
}
event!(UserRemoved, "reservas.user.removed.v1", "user", user_id);

/// All that is held about a person was put into an archive, and given to who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserExported {
    /// The account.
    pub user_id: UserId,
}
event!(UserExported, "reservas.user.exported.v1", "user", user_id);

/// Someone signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// With what kind of program: `Firefox on Linux`; none in events older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}
event!(SessionStarted, "reservas.session.started.v1", "session", session_id);

/// A session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The session.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// Why it ended.
    pub reason: SessionEnd,
}
event!(SessionEnded, "reservas.session.ended.v1", "session", session_id);

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The user signed out.
    SignedOut,
    /// A refresh token was used twice: one of the two users of it is a thief.
    RefreshReused,
    /// The password changed.
    PasswordChanged,
    /// The account was removed or may no longer sign in.
    AccountClosed,
    /// The user ended it from another one.
    Revoked,
}

/// Someone asks for a link that sets a new password of the account; the link is made when the mail is written:
/// `POST /internal/organizations/{organization_id}/password-resets/{reset_id}/link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordResetRequested {
    /// The account.
    pub user_id: UserId,
    /// The request.
    pub reset_id: PasswordResetId,
}
event!(PasswordResetRequested, "reservas.user.password_reset_requested.v1", "user", user_id);

/// The password of an account was replaced with a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordReset {
    /// The account.
    pub user_id: UserId,
}
event!(PasswordReset, "reservas.user.password_reset.v1", "user", user_id);

/// Too many attempts to sign in failed: the account takes none for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLocked {
    /// The account.
    pub user_id: UserId,
    /// Until when.
    pub until: Timestamp,
    /// How many failed in a row.
    pub failures: i32,
}
event!(UserLocked, "reservas.user.locked.v1", "user", user_id);

/// A second factor came to be, was used in need, or is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorChanged {
    /// The account.
    pub user_id: UserId,
    /// What happened.
    pub change: SecondFactorChange,
}
event!(SecondFactorChanged, "reservas.user.second_factor_changed.v1", "user", user_id);

/// What happened to a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorChange {
    /// Signing in takes a code from now on.
    Enabled,
    /// Signing in takes none any more.
    Disabled,
    /// A recovery code was used up.
    RecoveryCodeUsed,
    /// There are new recovery codes; the old ones are worth nothing.
    RecoveryCodesReplaced,
    /// A passkey was added: it signs in alone, and beside a password.
    PasskeyAdded,
    /// A passkey was removed; there is a second factor still.
    PasskeyRemoved,
}

/// An organization demands a second factor of other roles than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInPolicyChanged {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The roles of which it was demanded.
    pub before: BTreeSet<Role>,
    /// The roles of which it is.
    pub after: BTreeSet<Role>,
}
event!(
    SignInPolicyChanged,
    "reservas.organization.sign_in_policy_changed.v1",
    "organization",
    organization_id
);

/// A key with which programs get access tokens came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyCreated {
    /// The key.
    pub key_id: ApiKeyId,
    /// Whose rights it has.
    pub user_id: UserId,
    /// The permissions that it is limited to.
    pub scopes: Vec<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}
event!(ApiKeyCreated, "reservas.api_key.created.v1", "api_key", key_id);

/// A key with which programs get access tokens works no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// The key.
    pub key_id: ApiKeyId,
    /// Whose rights it had.
    pub user_id: UserId,
}
event!(ApiKeyRevoked, "reservas.api_key.revoked.v1", "api_key", key_id);

/// What the link of a mail carries: the answer to `POST …/password-resets/{reset_id}/link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetLink {
    /// What `POST /api/v1/auth/reset-password` takes as `token`.
    pub token: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// How to reach a person: the answer to `GET /internal/organizations/{organization_id}/users/{user_id}/contact`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person.
    pub user_id: UserId,
    /// Where mail goes.
    pub email: Email,
    /// How to address them.
    pub name: String,
    /// Their language (BCP 47).
    pub locale: String,
    /// Their zone (IANA).
    pub time_zone: String,
    /// The name of their organization.
    pub organization: String,
    /// Its colours.
    pub branding: Branding,
}
