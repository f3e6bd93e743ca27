//! What stands sealed in the service's database, and where.

use kernel::{DeviceId, OrganizationId, WebhookId};
use platform::sealing::Place;
use platform::sealing::at_rest::{Column, Sealed};

use crate::webhooks::signature;

/// What requests to webhooks are signed with.
const WEBHOOK_SECRET: &str = "notifications.webhook.secret";
/// What they were signed with before.
const OLD_WEBHOOK_SECRET: &str = "notifications.webhook.old_secret";
/// Tokens and subscriptions of devices.
const DEVICE_ADDRESS: &str = "notifications.device.address";

/// All of it.
pub static SEALED: Sealed = Sealed {
    schema: crate::NAME,
    columns: &[
        Column { name: WEBHOOK_SECRET, key: "id", plain: Some(signature::LENGTH) },
        Column { name: OLD_WEBHOOK_SECRET, key: "id", plain: Some(signature::LENGTH) },
        Column { name: DEVICE_ADDRESS, key: "id", plain: None },
    ],
    others: None,
};

/// Where the secret of a webhook stands.
#[must_use]
pub const fn webhook_secret(organization: OrganizationId, webhook: WebhookId) -> Place {
    Place { column: WEBHOOK_SECRET, organization: Some(organization), row: webhook.0 }
}

/// Where the secret stands that it had before.
#[must_use]
pub const fn old_webhook_secret(organization: OrganizationId, webhook: WebhookId) -> Place {
    Place { column: OLD_WEBHOOK_SECRET, organization: Some(organization), row: webhook.0 }
}

/// Where the address of a device stands.
#[must_use]
pub const fn device_address(organization: OrganizationId, device: DeviceId) -> Place {
    Place { column: DEVICE_ADDRESS, organization: Some(organization), row: device.0 }
}
