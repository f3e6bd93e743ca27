//! What those who manage accounts may give to others, and whose accounts they may touch.

use jiff::Timestamp;
use kernel::Role;
use platform::auth::{Actor, Fresh};
use platform::http::Problem;

use crate::error::Error;

/// Whether a caller may make or change an account that has these roles, before or after. A role above `user` is given, and
/// its holders are changed, by those alone who have all that it may, and who proved a moment ago who they are: no API
/// key, and no token that was stolen an hour ago, makes itself an administrator.
///
/// # Errors
/// 403 `beyond_own_rights`, `step_up_required`.
pub fn check(actor: &Actor, roles: &[Role], now: Timestamp) -> Result<(), Problem> {
    let Some(highest) = roles.iter().max().filter(|role| **role > Role::User) else { return Ok(()) };
    if !highest.permissions().into_iter().all(|name| actor.may_by_name(name)) {
        return Err(Error::BeyondOwnRights.into());
    }
    Fresh::of(actor, now).map(|_| ())
}
