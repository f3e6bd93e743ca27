//! What the operations that take a booking one step further have in common.

use std::time::Duration;

use contracts::bookings as wire;
use contracts::resources as catalogue;
use garde::Validate;
use kernel::{BookingId, Event, ResourceId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{IfMatch, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::BookingBody;
use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::store::claims::{Rival, Wanted};
use crate::store::resources::{self, Tree};
use crate::store::{alternatives, bookings};

/// Runs of a transaction at most, when PostgreSQL asks for another (SQLSTATE 40001, 40P01) or a rival was faster.
pub const RUNS: u32 = 5;
/// The pause after the first run; later ones are longer.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the resource service may take to tell of a resource that is not known here yet.
const ASK: Duration = Duration::from_secs(2);

/// Lets others finish before the next run.
pub async fn pause(run: u32) {
    tokio::time::sleep(PAUSE * run).await;
}

/// A body that may say why.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// Why, for the history and for the people it concerns: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500, example = "The customer asked for another day")]
    pub reason: Option<String>,
}

/// The booking for a step by the caller: locked, visible to them, and of the version they saw if they named one.
///
/// # Errors
/// 404, or 412 when it was changed meanwhile.
pub async fn begin(
    tx: &mut Tx,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
) -> Result<Booking, Problem> {
    let booking = bookings::for_change(tx, actor, id).await?;
    version.map_or(Ok(()), |version| version.check(booking.version))?;
    Ok(booking)
}

/// Saves the step and tells of it.
///
/// # Errors
/// When the database fails.
pub async fn finish<E: Event>(
    tx: &mut Tx,
    actor: &Actor,
    before: &Booking,
    after: Booking,
    reason: Option<String>,
    event: impl FnOnce(Option<wire::Booking>, wire::Booking, Option<String>) -> E,
) -> Result<Answer, Problem> {
    bookings::save(tx, actor.organization, before, &after).await?;
    let event = event(Some(before.into()), (&after).into(), reason);
    bookings::tell(tx, actor.organization, &Origin::from(actor), &after, &event).await?;
    Answer::ok(after.version, &BookingBody::from(after))
}

/// The problem that names the rivals and what is free instead. Whose the rivals are, only those learn who may.
///
/// # Errors
/// When the database fails.
pub async fn slot_taken(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    tree: &Tree,
    wanted: &[Wanted],
    booking: &Booking,
    rivals: &[Rival],
) -> Result<Problem, Problem> {
    let ids: Vec<_> = rivals.iter().map(|rival| rival.booking_id.0).collect();
    let known = bookings::many(tx, actor.organization, &ids).await?;
    // A whole meets the same booking at each of its parts: one conflict is enough.
    let mut named = std::collections::BTreeSet::new();
    let conflicts = rivals.iter().filter(|rival| named.insert(rival.booking_id)).map(|rival| {
        let mut conflict = serde_json::json!({
            "resource_id": rival.resource_id,
            "resource_name": tree.get(&rival.resource_id).map(|resource| &resource.name),
            "starts_at": rival.slot.starts_at(),
            "ends_at": rival.slot.ends_at(),
        });
        let visible =
            known.iter().find(|known| known.id == rival.booking_id && bookings::is_open_to(known, actor));
        if let (Some(visible), Some(conflict)) = (visible, conflict.as_object_mut()) {
            conflict.insert("booking_id".into(), visible.id.to_string().into());
            conflict.insert("reference".into(), visible.reference.clone().into());
            conflict.insert("user_id".into(), visible.user_id.to_string().into());
        }
        conflict
    });
    let conflicts = conflicts.collect();
    let now = app.context.clock.now();
    let found = alternatives::find(tx, actor.organization, tree, wanted, &booking.slot, now).await?;
    let alternatives = serde_json::to_value(found).map_err(|error| Problem::internal(&error))?;
    Ok(Error::SlotTaken { conflicts, alternatives }.into())
}

/// Makes sure that the resources are known here: one that was created a moment ago is asked for.
///
/// # Errors
/// 422 naming those that do not exist or cannot be booked; 503 when that cannot be found out for now.
pub async fn know(app: &App, actor: &Actor, ids: &[ResourceId]) -> Result<(), Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let known = resources::tree(&mut tx, actor.organization, ids).await?;
    for (place, id) in ids.iter().enumerate() {
        let active = match known.get(id) {
            Some(resource) => resource.active,
            None => match ask(app, actor, *id).await? {
                Some(resource) => {
                    resources::keep(&mut tx, actor.organization, &resource).await?;
                    resource.status == catalogue::ResourceStatus::Active
                }
                None => return Err(no_resource(place, "not_found", "There is no such resource.")),
            },
        };
        if !active {
            return Err(no_resource(place, "not_bookable", "The resource cannot be booked."));
        }
    }
    tx.commit().await?;
    Ok(())
}

fn no_resource(place: usize, code: &str, detail: &str) -> Problem {
    Problem::invalid_field(&format!("/resources/{place}/resource_id"), code, detail)
}

async fn ask(app: &App, actor: &Actor, id: ResourceId) -> Result<Option<catalogue::Resource>, Problem> {
    let base = &app.config.resources_url;
    let url = format!("{base}/internal/organizations/{}/resources/{id}", actor.organization);
    let request = app.context.client.get(url).timeout(ASK).bearer_auth(app.context.internal.0.expose());
    let answer = async {
        let response = request.header("x-correlation-id", &actor.correlation.id).send().await?;
        if response.status() == http::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        response.error_for_status()?.json().await.map(Some)
    };
    answer.await.map_err(|error: reqwest::Error| {
        tracing::warn!(%error, "the resource service does not answer");
        Problem::unavailable(
            "resource_unknown",
            "The resource is not known here yet. Try again in a moment.",
            1,
        )
    })
}
