//! The calendar as it stood at some time: which bookings were where, told by their events.

use contracts::bookings as wire;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::http::Problem;
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::booking::Booking;

/// What every event of a booking has.
#[derive(Debug, Deserialize)]
struct Told {
    booking: wire::Booking,
}

/// Keeps where a booking was before it moved.
///
/// # Errors
/// When the database fails.
pub(super) async fn moved(
    tx: &mut Tx,
    organization: OrganizationId,
    before: &Booking,
) -> Result<(), Problem> {
    let resources: Vec<Uuid> = before.resources.iter().map(|one| one.resource_id.0).collect();
    sqlx::query!(
        "insert into bookings.booking_moved (organization_id, resource_id, starts_at, ends_at, booking_id)
         select $1, resource_id, $3, $4, $5 from unnest($2::uuid[]) resource_id
         on conflict on constraint booking_moved_pkey do nothing",
        organization.0,
        &resources,
        before.slot.starts_at().to_sqlx(),
        before.slot.ends_at().to_sqlx(),
        before.id.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The bookings that stood at some time within a window of resources, as they were then, by start. None when there may be
/// more of them than `most`.
///
/// # Errors
/// When the database fails.
pub async fn bookings_as_of(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[ResourceId],
    window: &Slot,
    as_of: Timestamp,
    most: usize,
) -> Result<Option<Vec<wire::Booking>>, Problem> {
    let ids: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    // Where bookings are now, and where they were before they moved: nowhere else have they ever been.
    let candidates = sqlx::query_scalar!(
        r#"select booking_id as "id!" from (
               select r.booking_id from bookings.booking_resource r
               join bookings.booking b on b.organization_id = $1 and b.id = r.booking_id
               where r.organization_id = $1 and r.resource_id = any($2) and b.starts_at < $4 and b.ends_at > $3
                 and b.created_at <= $5
               union
               select booking_id from bookings.booking_moved
               where organization_id = $1 and resource_id = any($2) and starts_at < $4 and ends_at > $3
           ) candidates limit $6"#,
        organization.0,
        &ids,
        window.starts_at().to_sqlx(),
        window.ends_at().to_sqlx(),
        as_of.to_sqlx(),
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    if candidates.len() > most {
        return Ok(None);
    }
    let rows = sqlx::query_scalar!(
        r#"select e.data as "data!: Json<Told>" from unnest($2::uuid[]) candidate (id)
           cross join lateral (
               select data from bookings.event
               where organization_id = $1 and stream_id = candidate.id and occurred_at <= $3
               order by stream_version desc limit 1
           ) e"#,
        organization.0,
        &candidates,
        as_of.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut bookings: Vec<wire::Booking> = rows
        .into_iter()
        .map(|told| told.0.booking)
        .filter(|booking| stood(booking, as_of).is_some_and(|slot| slot.overlaps(window)))
        .filter(|booking| booking.resources.iter().any(|one| resources.contains(&one.resource_id)))
        .collect();
    bookings.sort_by_key(|booking| (booking.slot, booking.id));
    Ok(Some(bookings))
}

/// The time that a booking took, as it was known then; none when it did not stand.
fn stood(booking: &wire::Booking, as_of: Timestamp) -> Option<Slot> {
    use wire::BookingStatus as Status;
    match booking.status {
        Status::Held if booking.expires_at.is_some_and(|at| at <= as_of) => None,
        Status::Held | Status::Pending | Status::Confirmed | Status::CheckedIn => Some(booking.slot),
        Status::Completed | Status::NoShow => {
            let ends_at = booking.released_at.unwrap_or_else(|| booking.slot.ends_at());
            Slot::new(booking.slot.starts_at(), ends_at).ok()
        }
        Status::Expired | Status::Rejected | Status::Cancelled => None,
    }
}
