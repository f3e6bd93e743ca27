//! Rules were laid down, changed or removed: the newest are kept.

use contracts::rules::RulesChanged;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::store::rules;

/// Keeps the rules that an event tells.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn rules_told(tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    let changed = event.read::<RulesChanged>().map_err(|error| Problem::internal(&error))?;
    match changed {
        Some(changed) => rules::keep(tx, event.organizationid, &changed.rules).await,
        None => Ok(()),
    }
}
