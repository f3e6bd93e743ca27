//! Bookings in the database: loading, inserting, saving a step of their life with its event.

use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, Kind, OrganizationId, SeriesId, Slot, UserId};
use platform::auth::Actor;
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;
use sqlx::types::Json;
use uuid::Uuid;

use super::{guests, reach};
use crate::booking::{BookedResource, Booking, Status};
use crate::guest::Guest;
use crate::quote::Quote;
use crate::recurrence::Local;
use crate::terms::Terms;

/// How a booking is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// For reading.
    None,
    /// For a change: others that would change it wait.
    ForUpdate,
    /// For a change that is not worth waiting for: a locked booking is not found.
    SkipLocked,
}

/// The booking with an id, if the organization has it.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &mut Tx,
    organization: OrganizationId,
    id: BookingId,
    lock: Lock,
) -> Result<Option<Booking>, Problem> {
    let locked = match lock {
        Lock::None => true,
        Lock::ForUpdate => sqlx::query!(
            "select id from bookings.booking where organization_id = $1 and id = $2 for update",
            organization.0,
            id.0
        )
        .fetch_optional(&mut **tx)
        .await?
        .is_some(),
        Lock::SkipLocked => sqlx::query!(
            "select id from bookings.booking where organization_id = $1 and id = $2 for update skip locked",
            organization.0,
            id.0
        )
        .fetch_optional(&mut **tx)
        .await?
        .is_some(),
    };
    if !locked {
        return Ok(None);
    }
    Ok(many(tx, organization, &[id.0]).await?.pop())
}

/// The bookings with these ids, in the order of their start.
///
/// # Errors
/// When the database fails.
pub async fn many(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Booking>, Problem> {
    let rows = sqlx::query!(
        r#"select b.id, b.reference, b.version, b.status as "status: Status", b.user_id, b.created_by, b.title,
                  b.starts_at, b.ends_at, b.expires_at, b.attendees, b.priority, b.quote as "quote: Json<Quote>",
                  b.terms as "terms: Json<Terms>",
                  b.checked_in_at, b.released_at, b.flag, b.created_at, b.updated_at, b.series_id, b.occurrence,
                  (select jsonb_agg(jsonb_build_object('resource_id', r.resource_id, 'name', r.name, 'units', r.units,
                                                       'time_zone', r.time_zone, 'location_names', r.location_names)
                                    order by r.position)
                   from bookings.booking_resource r
                   where r.organization_id = b.organization_id and r.booking_id = b.id)
                      as "resources!: Json<Vec<BookedResource>>",
                  (select jsonb_agg(jsonb_build_object('user_id', g.user_id, 'email', g.email, 'name', g.name)
                                    order by g.position)
                   from bookings.booking_guest g
                   where g.organization_id = b.organization_id and g.booking_id = b.id)
                      as "guests: Json<Vec<Guest>>"
           from bookings.booking b where b.organization_id = $1 and b.id = any($2)
           order by b.starts_at, b.id"#,
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let slot = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff());
            Ok(Booking {
                id: BookingId(row.id),
                reference: row.reference,
                version: row.version,
                status: row.status,
                user_id: UserId(row.user_id),
                created_by: UserId(row.created_by),
                title: row.title,
                slot: slot.map_err(|error| Problem::internal(&error))?,
                resources: row.resources.0,
                attendees: row.attendees,
                guests: row.guests.map(|guests| guests.0).unwrap_or_default(),
                priority: row.priority,
                quote: row.quote.map(|quote| quote.0),
                terms: row.terms.0,
                expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
                checked_in_at: row.checked_in_at.map(jiff_sqlx::Timestamp::to_jiff),
                released_at: row.released_at.map(jiff_sqlx::Timestamp::to_jiff),
                flag: row.flag,
                series: row
                    .series_id
                    .zip(row.occurrence)
                    .map(|(id, occurrence)| (SeriesId(id), Local(occurrence.to_jiff()))),
                created_at: row.created_at.to_jiff(),
                updated_at: row.updated_at.to_jiff(),
            })
        })
        .collect()
}

/// Whether the caller may see a booking and change it: its owner, who made it, and who manages it.
///
/// # Errors
/// When the database fails.
pub async fn is_open_to(tx: &mut Tx, booking: &Booking, actor: &Actor) -> Result<bool, Problem> {
    let is_theirs = booking.user_id == actor.user || booking.created_by == actor.user;
    Ok(is_theirs || is_managed_by(tx, booking, actor).await?)
}

/// Whether the caller manages a booking.
///
/// # Errors
/// When the database fails.
pub async fn is_managed_by(tx: &mut Tx, booking: &Booking, actor: &Actor) -> Result<bool, Problem> {
    let resources = booking.resources.iter().map(|one| one.resource_id);
    reach::covers(tx, actor, booking.user_id, resources).await
}

/// Whether the caller may see a booking: who may change it, and its guests.
///
/// # Errors
/// When the database fails.
pub async fn is_visible_to(tx: &mut Tx, booking: &Booking, actor: &Actor) -> Result<bool, Problem> {
    let is_guest = booking.guests.iter().any(|guest| guest.user_id == Some(actor.user));
    Ok(is_guest || is_open_to(tx, booking, actor).await?)
}

/// Of some bookings those that the caller may see and change.
///
/// # Errors
/// When the database fails.
pub async fn open_among(tx: &mut Tx, bookings: Vec<Booking>, actor: &Actor) -> Result<Vec<Booking>, Problem> {
    let mut open = Vec::new();
    for booking in bookings {
        if is_open_to(tx, &booking, actor).await? {
            open.push(booking);
        }
    }
    Ok(open)
}

/// The booking for a change by the caller, locked.
///
/// # Errors
/// 404 when there is none that the caller may see.
pub async fn for_change(tx: &mut Tx, actor: &Actor, id: BookingId) -> Result<Booking, Problem> {
    let booking = load(tx, actor.organization, id, Lock::ForUpdate).await?;
    match booking {
        Some(booking) if is_open_to(tx, &booking, actor).await? => Ok(booking),
        _ => Err(Problem::not_found("booking")),
    }
}

/// A new booking's rows, in one statement.
///
/// # Errors
/// When the database fails.
pub(super) async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: &Booking,
) -> Result<(), Problem> {
    let price = booking.quote.as_ref().map(|quote| &quote.total);
    sqlx::query!(
        "with booking as (
             insert into bookings.booking (organization_id, id, reference, version, status, user_id, created_by, title,
                 starts_at, ends_at, expires_at, attendees, priority, price, currency, quote, terms,
                 due_at, created_at, updated_at, series_id, occurrence)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $21, $22)
         )
         insert into bookings.booking_resource (organization_id, booking_id, position, resource_id, units, name,
                                                time_zone, location_names)
         select $1, $2, position, resource_id, units, name, time_zone, location_names
         from rows from (jsonb_to_recordset($20) as (resource_id uuid, units int, name text, time_zone text,
                                                     location_names text[])) with ordinality
              as r (resource_id, units, name, time_zone, location_names, position)",
        organization.0,
        booking.id.0,
        booking.reference,
        booking.version,
        booking.status.name(),
        booking.user_id.0,
        booking.created_by.0,
        booking.title,
        booking.slot.starts_at().to_sqlx(),
        booking.slot.ends_at().to_sqlx(),
        booking.expires_at.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        booking.attendees,
        booking.priority,
        price.map(|price| price.amount),
        price.map(|price| price.currency.to_string()),
        booking.quote.as_ref().map(Json) as Option<Json<&Quote>>,
        Json(&booking.terms) as Json<&Terms>,
        booking.due_at().map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        booking.created_at.to_sqlx(),
        serde_json::to_value(&booking.resources).unwrap_or_default(),
        booking.series.map(|(id, _)| id.0),
        booking.series.map(|(_, occurrence)| occurrence.0.to_sqlx()) as Option<jiff_sqlx::DateTime>,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("booking_reference", || {
        // Forty random bits: the next id has others.
        Problem::new(Kind::Conflict, "request_in_progress", "Try again.").or_run_again()
    })?;
    if !booking.guests.is_empty() {
        guests::replace(tx, organization, booking).await?;
    }
    Ok(())
}

/// Saves a step of a booking's life. The row is locked by whoever loaded it.
///
/// # Errors
/// When the database fails.
pub(super) async fn save(
    tx: &mut Tx,
    organization: OrganizationId,
    before: &Booking,
    after: &Booking,
) -> Result<(), Problem> {
    let price = after.quote.as_ref().map(|quote| &quote.total);
    sqlx::query!(
        "update bookings.booking set version = $3, status = $4, starts_at = $5, ends_at = $6, expires_at = $7,
             user_id = $8, title = $9, attendees = $10, priority = $11, price = $12, currency = $13, quote = $14,
             terms = $15, checked_in_at = $16, released_at = $17, flag = $18, due_at = $19
         where organization_id = $1 and id = $2",
        organization.0,
        after.id.0,
        after.version,
        after.status.name(),
        after.slot.starts_at().to_sqlx(),
        after.slot.ends_at().to_sqlx(),
        after.expires_at.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.user_id.0,
        after.title,
        after.attendees,
        after.priority,
        price.map(|price| price.amount),
        price.map(|price| price.currency.to_string()),
        after.quote.as_ref().map(Json) as Option<Json<&Quote>>,
        Json(&after.terms) as Json<&Terms>,
        after.checked_in_at.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.released_at.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.flag,
        after.due_at().map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
    )
    .execute(&mut **tx)
    .await?;
    if before.resources != after.resources {
        replace_resources(tx, organization, after).await?;
    }
    if before.guests != after.guests {
        guests::replace(tx, organization, after).await?;
    }
    Ok(())
}

async fn replace_resources(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: &Booking,
) -> Result<(), Problem> {
    sqlx::query!(
        "delete from bookings.booking_resource where organization_id = $1 and booking_id = $2",
        organization.0,
        booking.id.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into bookings.booking_resource (organization_id, booking_id, position, resource_id, units, name,
                                                time_zone, location_names)
         select $1, $2, position, resource_id, units, name, time_zone, location_names
         from rows from (jsonb_to_recordset($3) as (resource_id uuid, units int, name text, time_zone text,
                                                    location_names text[])) with ordinality
              as r (resource_id, units, name, time_zone, location_names, position)",
        organization.0,
        booking.id.0,
        serde_json::to_value(&booking.resources).unwrap_or_default(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
