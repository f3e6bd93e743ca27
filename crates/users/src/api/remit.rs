//! The places and people that a manager is to be limited to, looked up.

use kernel::{OrganizationId, Remit, Role};
use platform::db::Tx;
use platform::http::Problem;

use crate::store::memberships;

/// Whether somebody who is to have a role can be limited so.
///
/// # Errors
/// 422 for who is no manager, and for groups that do not exist; or when the database fails.
pub(super) async fn check(
    tx: &mut Tx,
    organization: OrganizationId,
    role: Role,
    remit: Option<&Remit>,
) -> Result<(), Problem> {
    let Some(remit) = remit else { return Ok(()) };
    if role != Role::Manager {
        return Err(Problem::invalid_field(
            "/remit",
            "managers_only",
            "Only managers are limited by a remit.",
        ));
    }
    if memberships::are_groups(tx, organization, &remit.groups).await? {
        return Ok(());
    }
    Err(Problem::invalid_field("/remit/groups", "not_found", "One of the groups does not exist."))
}
