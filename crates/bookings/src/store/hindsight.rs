//! What changed rules would have refused of the bookings that there are.

use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, ResourceId, Slot, UserId};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::bookings;
use super::resources::{self, Tree};
use super::rules::Rulebook;
use crate::booking::Booking;
use crate::policy::{self, Broken, Item};
use crate::rules::Layer;

/// Bookings that are looked at.
const MOST: i64 = 1000;

/// A booking that rules would have refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// The booking.
    pub booking_id: BookingId,
    /// What people call it.
    pub reference: String,
    /// When it starts.
    pub starts_at: jiff::Timestamp,
    /// When it ends.
    pub ends_at: jiff::Timestamp,
    /// What it takes.
    pub resource_ids: Vec<ResourceId>,
    /// The rules that it would have broken.
    pub broken: Vec<Broken>,
}

/// How many bookings that start within a time were looked at, whether there are more, and those that break a rule which
/// they do not break now. Each is judged as of when it was made.
///
/// # Errors
/// When the database fails.
pub async fn refused(
    tx: &mut Tx,
    organization: OrganizationId,
    slot: &Slot,
    layer: &Layer,
) -> Result<(usize, bool, Vec<Refused>), Problem> {
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking
         where organization_id = $1 and starts_at >= $2 and starts_at < $3
           and status in ('pending', 'confirmed', 'checked_in', 'completed', 'no_show')
         order by starts_at, id limit $4",
        organization.0,
        slot.starts_at().to_sqlx(),
        slot.ends_at().to_sqlx(),
        MOST + 1,
    );
    let mut ids = ids.fetch_all(&mut **tx).await?;
    let most = usize::try_from(MOST).unwrap_or(0);
    let more = ids.len() > most;
    ids.truncate(most);
    let bookings = bookings::many(tx, organization, &ids).await?;
    let concerned = bookings.iter().flat_map(|booking| &booking.resources).map(|one| one.resource_id);
    let concerned: Vec<ResourceId> = concerned.collect();
    let tree = resources::tree(tx, organization, &concerned).await?;
    let users: Vec<UserId> =
        bookings.iter().flat_map(|booking| [booking.user_id, booking.created_by]).collect();
    let now = Rulebook::load(tx, organization, &tree, &users).await?;
    let then = now.clone().with(layer.clone());
    let refused = bookings.iter().filter_map(|booking| {
        let known = broken(&now, &tree, booking);
        let mut broken = broken(&then, &tree, booking);
        let is_known = |one: &Broken| {
            known.iter().any(|known| known.rule == one.rule && known.resource_id == one.resource_id)
        };
        broken.retain(|one| !is_known(one));
        (!broken.is_empty()).then(|| Refused {
            booking_id: booking.id,
            reference: booking.reference.clone(),
            starts_at: booking.slot.starts_at(),
            ends_at: booking.slot.ends_at(),
            resource_ids: booking.resources.iter().map(|one| one.resource_id).collect(),
            broken,
        })
    });
    Ok((bookings.len(), more, refused.collect()))
}

/// The rules that a booking breaks, had it been asked for under them when it was made.
fn broken(book: &Rulebook, tree: &Tree, booking: &Booking) -> Vec<Broken> {
    let (owner, actor) = (book.someone(booking.user_id), book.someone(booking.created_by));
    let resources = booking.resources.iter().filter_map(|one| Some((tree.get(&one.resource_id)?, one.units)));
    let items: Vec<Item> = resources.map(|(resource, units)| book.item(resource, units, &owner)).collect();
    policy::evaluate(&policy::Request {
        slot: booking.slot,
        attendees: booking.attendees,
        owner: &owner,
        actor: &actor,
        items: &items,
        now: booking.created_at,
        before: None,
    })
    .broken
}
