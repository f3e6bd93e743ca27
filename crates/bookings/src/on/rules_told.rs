//! Rules were laid down, changed or removed: the newest are kept.

use contracts::rules::{RuleSet, RulesChanged};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::store::{recheck, rules};

/// Keeps the rules that an event tells.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn rules_told(tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    let changed = event.read::<RulesChanged>().map_err(|error| Problem::internal(&error))?;
    let Some(changed) = changed else { return Ok(()) };
    rules::keep(tx, event.organizationid, &changed.rules).await?;
    let before = changed.before.unwrap_or_default();
    let hours = |rules: &RuleSet| (rules.schedule.clone(), rules.policy.within_hours);
    if hours(&before) == hours(&changed.rules.rules) {
        return Ok(());
    }
    // Bookings outside of the new hours are found by the timed job, piece by piece.
    recheck::scope(tx, event.organizationid, changed.rules.scope, changed.rules.scope_id).await
}
