//! Mails about accounts, and invitations.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::{Email, Event, GroupId, InvitationId, LetterId, Remit, Role, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Branding;

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
    /// To tell the owner of an account that it is to have another address.
    EmailChangeAsked,
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
    /// The places and people that they are to be limited to, as managers; none for the whole organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remit: Option<Remit>,
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
