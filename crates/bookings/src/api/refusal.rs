//! Refusals that help: every broken rule, the rivals, and what is free instead.

use kernel::BookingId;
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;
use serde_json::{Value, json};

use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::policy::Broken;
use crate::store::claims::{Holder, Rival};
use crate::store::known::Known;
use crate::store::resources::Tree;
use crate::store::{alternatives, bookings};

/// The problem that names the broken rules, the rivals and what is free instead.
///
/// # Errors
/// When the database fails.
pub async fn refuse(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    booking: &Booking,
    broken: Vec<Broken>,
    rivals: &[Rival],
) -> Result<Problem, Problem> {
    let theirs = bookings_of(tx, actor, rivals.iter()).await?;
    let conflicts = conflicts(actor, &known.tree, rivals, &theirs);
    let now = app.context.clock.now();
    let found = alternatives::find(tx, actor.organization, known, booking, now).await?;
    let alternatives = serde_json::to_value(found).map_err(|error| Problem::internal(&error))?;
    Ok(if broken.is_empty() {
        Error::SlotTaken { conflicts, alternatives }.into()
    } else {
        Error::PolicyViolated { broken, conflicts, alternatives }.into()
    })
}

/// The bookings that rivals are of.
///
/// # Errors
/// When the database fails.
pub async fn bookings_of<'a>(
    tx: &mut Tx,
    actor: &Actor,
    rivals: impl Iterator<Item = &'a Rival> + Send,
) -> Result<Vec<Booking>, Problem> {
    let ids: Vec<_> = rivals.filter_map(booking_of).map(|id| id.0).collect();
    if ids.is_empty() { Ok(Vec::new()) } else { bookings::many(tx, actor.organization, &ids).await }
}

/// The rivals. Whose they are, only those learn who may.
#[must_use]
pub fn conflicts(actor: &Actor, tree: &Tree, rivals: &[Rival], known: &[Booking]) -> Value {
    // A whole meets the same booking at each of its parts: one conflict is enough.
    let mut named = std::collections::BTreeSet::new();
    let conflicts = rivals.iter().filter(|rival| named.insert(rival.holder)).map(|rival| {
        let mut conflict = json!({
            "resource_id": rival.resource_id,
            "resource_name": tree.get(&rival.resource_id).map(|resource| &resource.name),
            "starts_at": rival.slot.starts_at(),
            "ends_at": rival.slot.ends_at(),
        });
        let visible = known
            .iter()
            .find(|known| Some(known.id) == booking_of(rival) && bookings::is_open_to(known, actor));
        match (visible, rival.holder) {
            (Some(visible), _) => {
                conflict["booking_id"] = json!(visible.id);
                conflict["reference"] = json!(visible.reference);
                conflict["user_id"] = json!(visible.user_id);
            }
            (None, Holder::Blackout(id)) => conflict["blackout_id"] = json!(id),
            (None, Holder::Booking(_)) => {}
        }
        conflict
    });
    conflicts.collect()
}

fn booking_of(rival: &Rival) -> Option<BookingId> {
    match rival.holder {
        Holder::Booking(id) => Some(id),
        Holder::Blackout(_) => None,
    }
}
