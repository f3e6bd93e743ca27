//! An account was made, changed or removed: its role and groups are kept, or the person is to be forgotten.

use contracts::users::{Account, UserChanged, UserCreated, UserRemoved};
use kernel::{Role, UserId};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::store::erasure;
use crate::store::rules::keep_account;

/// Keeps the state that an event of an account tells.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn account_told(tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    let told = state(event).map_err(|error| Problem::internal(&error))?;
    match told {
        Some((user, account)) => keep_account(tx, event.organizationid, user, &account).await?,
        None => return Ok(()),
    }
    let removed = event.read::<UserRemoved>().map_err(|error| Problem::internal(&error))?;
    match removed {
        Some(removed) => erasure::begin(tx, event.organizationid, removed.user_id).await,
        None => Ok(()),
    }
}

fn state(event: &Envelope) -> Result<Option<(UserId, Account)>, serde_json::Error> {
    let created = event.read::<UserCreated>()?.map(|event| (event.user_id, event.account));
    let changed = event.read::<UserChanged>()?.map(|event| (event.user_id, event.after));
    let removed = event.read::<UserRemoved>()?.map(|event| {
        // Nothing comes after a removal.
        let gone =
            Account { role: Role::User, active: false, version: i64::MAX, groups: [].into(), remit: None };
        (event.user_id, gone)
    });
    Ok(created.or(changed).or(removed))
}
