//! Addresses that get no mail any more: refused for good by their server, or put in by an administrator. Kept as digests.

use kernel::{Email, OrganizationId};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use utoipa::ToSchema;

/// SHA-256 of an organization and an address.
pub type Digest = [u8; 32];

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SuppressionReason)]
pub enum Reason {
    /// Its server says that there is no such mailbox.
    NoSuchAddress,
    /// A mail came back that its server took or was asked to take, for good.
    Bounced,
    /// Its reader called a mail unwanted.
    Complained,
    /// An administrator put it in.
    Manual,
}

/// The digest of an address, another one in every organization.
#[must_use]
pub fn digest(organization: OrganizationId, email: &Email) -> Digest {
    let hash = sha2::Sha256::new().chain_update(organization.0.as_bytes()).chain_update(email.as_str());
    hash.finalize().into()
}
