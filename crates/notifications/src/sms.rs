//! Short messages to telephones.

use jiff::Timestamp;
use kernel::{DeliveryId, OrganizationId};

use crate::phone::Number;

/// A short message, ready for a provider.
#[derive(Debug, Clone)]
pub struct Text {
    /// In which organization.
    pub organization: OrganizationId,
    /// The delivery it serves; none for a code, of which nobody wants to hear more.
    pub delivery: Option<DeliveryId>,
    /// To whom.
    pub to: Number,
    /// What it says.
    pub body: String,
    /// When it is sent.
    pub at: Timestamp,
}
