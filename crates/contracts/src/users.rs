//! What the user service publishes and answers to other services.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::{Email, Event, GroupId, InvitationId, LetterId, OrganizationId, Role, SessionId, UserId};
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

/// An account was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRemoved {
    /// The account.
    pub user_id: UserId,
}
event!(UserRemoved, "reservas.user.removed.v1", "user", user_id);

/// A group came to be, was renamed, or is no more. Who is in it, the accounts tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupChanged {
    /// The group.
    pub group_id: GroupId,
    /// Its name; none when it is no more.
    pub name: Option<String>,
}
event!(GroupChanged, "reservas.group.changed.v1", "group", group_id);

/// What a mail about an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// To show that the address is the account's.
    EmailVerification,
    /// To make an account.
    Invitation,
    /// To tell the owner of an account that somebody wanted to register with their address.
    RegistrationRepeated,
    /// To confirm the address that an account is to have.
    EmailChange,
    /// To tell the address that an account had that it has another.
    EmailChanged,
}

/// A mail about an account is to be sent. What it says is asked for when it is sent: secrets and addresses stay out of here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterRequested {
    /// The letter.
    pub letter_id: LetterId,
    /// What it is for.
    pub kind: LetterKind,
    /// Whose account it is about; none where there is no account yet.
    pub user_id: Option<UserId>,
}
event!(LetterRequested, "reservas.letter.requested.v1", "letter", letter_id);

/// What a letter says: the answer to `POST /internal/organizations/{organization_id}/letters/{letter_id}/write`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What it is for.
    pub kind: LetterKind,
    /// Where it goes.
    pub email: Email,
    /// How to address the person.
    pub name: String,
    /// Their language (BCP 47).
    pub locale: String,
    /// The organization's name.
    pub organization: String,
    /// The organization's colours.
    pub branding: Branding,
    /// The secret of its link, if it has one; nobody else is told.
    pub token: Option<String>,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Somebody was invited; who they are stays with the user service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationCreated {
    /// The invitation.
    pub invitation_id: InvitationId,
    /// What they are to be.
    pub role: Role,
    /// The groups they are to be in.
    pub groups: BTreeSet<GroupId>,
}
event!(InvitationCreated, "reservas.invitation.created.v1", "invitation", invitation_id);

/// An invitation was accepted or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationEnded {
    /// The invitation.
    pub invitation_id: InvitationId,
    /// The account that came of it; none when it was taken back.
    pub user_id: Option<UserId>,
}
event!(InvitationEnded, "reservas.invitation.ended.v1", "invitation", invitation_id);

/// Someone signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
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
}
