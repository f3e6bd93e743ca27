//! A resource was created, changed or retired: its newest state is kept.

use contracts::resources::{ResourceChanged, ResourceCreated, ResourceRetired};
use kernel::Slot;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::store::resources::keep;
use crate::store::{blackouts, recheck};

/// Keeps the state that an event of a resource tells.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn resource_told(tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    let resource = state(event).map_err(|error| Problem::internal(&error))?;
    match resource {
        Some(resource) => {
            keep(tx, event.organizationid, &resource).await?;
            // What came to a place that is closed is closed as well.
            let span = Slot::new(event.time, event.time + kernel::slot::LONGEST);
            let span = span.map_err(|error| Problem::internal(&error))?;
            blackouts::fill(tx, event.organizationid, &[resource.id], &span).await?;
            // Bookings that no longer fit are found by the timed job, piece by piece.
            recheck::resource(tx, event.organizationid, resource.id).await
        }
        None => Ok(()),
    }
}

fn state(event: &Envelope) -> Result<Option<contracts::resources::Resource>, serde_json::Error> {
    let created = event.read::<ResourceCreated>()?.map(|event| event.resource);
    let changed = event.read::<ResourceChanged>()?.map(|event| event.resource);
    let retired = event.read::<ResourceRetired>()?.map(|event| event.resource);
    Ok(created.or(changed).or(retired))
}
