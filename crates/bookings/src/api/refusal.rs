//! Refusals that help: every broken rule, the rivals, and what is free instead.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::BookingId;
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;
use serde_json::{Value, json};

use super::step;
use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::policy::Broken;
use crate::store::alternatives::{self, Alternative};
use crate::store::bookings;
use crate::store::claims::{Holder, Rival};
use crate::store::conflicts::{self, Detail, Refused};
use crate::store::known::Known;

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
    let conflicts = named(known, rivals, &theirs);
    let now = app.context.clock.now();
    let found = alternatives::find(tx, actor.organization, known, booking, now).await?;
    let value = |value: serde_json::Result<Value>| value.map_err(|error| Problem::internal(&error));
    let alternatives = value(serde_json::to_value(&found))?;
    // Rules alone are no conflict: nobody else wanted the same.
    let aside = (!rivals.is_empty()).then(|| aside(booking, &broken, rivals.iter(), found)).transpose()?;
    let mut problem: Problem = if broken.is_empty() {
        Error::SlotTaken { conflicts, alternatives }.into()
    } else {
        Error::PolicyViolated { broken, conflicts, alternatives }.into()
    };
    problem.aside = aside;
    Ok(problem)
}

/// What is to be written down of a refusal.
///
/// # Errors
/// 500 when it cannot be written as JSON.
pub fn aside<'a>(
    booking: &Booking,
    broken: &[Broken],
    rivals: impl Iterator<Item = &'a Rival>,
    alternatives: Vec<Alternative>,
) -> Result<Box<Value>, Problem> {
    let value = |value: serde_json::Result<Value>| value.map_err(|error| Problem::internal(&error));
    let detail = Detail {
        resources: booking.wanted(),
        broken: value(serde_json::to_value(broken))?,
        conflicts: rivals.map(plainly).collect(),
        alternatives,
    };
    let refused = Refused { user_id: booking.user_id, booking_id: booking.id, slot: booking.slot, detail };
    Ok(Box::new(value(serde_json::to_value(refused))?))
}

/// Writes down that somebody was refused, after all that they asked for is undone, and names it to them.
///
/// # Errors
/// What was refused. That it could not be written down makes it no other failure.
pub async fn recorded<T>(app: &App, actor: &Actor, result: Result<T, Problem>) -> Result<T, Problem> {
    static UNRECORDED: AtomicU64 = AtomicU64::new(0);
    let mut problem = match result {
        Ok(answer) => return Ok(answer),
        Err(problem) => problem,
    };
    let Some(aside) = problem.aside.take() else { return Err(problem) };
    match record(app, actor, *aside).await {
        Ok(id) => {
            problem.members.insert("conflict_id".into(), json!(id));
        }
        Err(error) => {
            let unrecorded = UNRECORDED.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::warn!(error = error.detail, unrecorded, "a refusal could not be written down");
        }
    }
    Err(problem)
}

async fn record(app: &App, actor: &Actor, aside: Value) -> Result<kernel::ConflictId, Problem> {
    let refused: Refused = serde_json::from_value(aside).map_err(|error| Problem::internal(&error))?;
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let id = conflicts::refused(&mut tx, &act, &refused).await?;
    tx.commit().await?;
    Ok(id)
}

/// A rival as managers see it.
fn plainly(rival: &Rival) -> Value {
    let (booking, blackout) = match rival.holder {
        Holder::Booking(id) => (Some(id), None),
        Holder::Blackout(id) => (None, Some(id)),
    };
    json!({
        "resource_id": rival.resource_id,
        "booking_id": booking,
        "blackout_id": blackout,
        "starts_at": rival.slot.starts_at(),
        "ends_at": rival.slot.ends_at(),
    })
}

/// The bookings that rivals are of, as far as the caller may see them.
///
/// # Errors
/// When the database fails.
pub async fn bookings_of<'a>(
    tx: &mut Tx,
    actor: &Actor,
    rivals: impl Iterator<Item = &'a Rival> + Send,
) -> Result<Vec<Booking>, Problem> {
    let ids: Vec<_> = rivals.filter_map(booking_of).map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let all = bookings::many(tx, actor.organization, &ids).await?;
    bookings::open_among(tx, all, actor).await
}

/// The rivals. Whose they are is told of the bookings that the caller may see, and where of the resources that are there for
/// them: one that is part of another may not be.
#[must_use]
pub fn named(known: &Known, rivals: &[Rival], visible: &[Booking]) -> Value {
    // A whole meets the same booking at each of its parts: one conflict is enough.
    let mut named = std::collections::BTreeSet::new();
    let conflicts = rivals.iter().filter(|rival| named.insert(rival.holder)).map(|rival| {
        let seen = known.tree.get(&rival.resource_id).filter(|resource| known.sees(resource.id));
        let mut conflict = json!({
            "resource_id": seen.map(|resource| resource.id),
            "resource_name": seen.map(|resource| &resource.name),
            "starts_at": rival.slot.starts_at(),
            "ends_at": rival.slot.ends_at(),
        });
        let visible = visible.iter().find(|visible| Some(visible.id) == booking_of(rival));
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
