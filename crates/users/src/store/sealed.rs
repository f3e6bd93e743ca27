//! What stands sealed in the service's database, and where.

use kernel::{OrganizationId, UserId};
use platform::sealing::Place;
use platform::sealing::at_rest::{Column, Sealed};

use super::signing_keys;

/// The secrets of apps that make codes.
const TOTP_SECRET: &str = "users.totp.secret";
/// What identity providers know us by.
const CLIENT_SECRET: &str = "users.single_sign_on.client_secret";

/// All of it.
pub static SEALED: Sealed = Sealed {
    schema: crate::NAME,
    columns: &[
        Column { name: TOTP_SECRET, key: "user_id", plain: Some(crate::second_factor::SECRET) },
        Column { name: CLIENT_SECRET, key: "organization_id", plain: None },
    ],
    others: Some(|context| Box::pin(signing_keys::seal(context))),
};

/// Where the secret of an account's app stands.
#[must_use]
pub const fn totp(organization: OrganizationId, user: UserId) -> Place {
    Place { column: TOTP_SECRET, organization: Some(organization), row: user.0 }
}

/// Where the secret stands that an organization has from its identity provider.
#[must_use]
pub const fn client_secret(organization: OrganizationId) -> Place {
    Place { column: CLIENT_SECRET, organization: Some(organization), row: organization.0 }
}
