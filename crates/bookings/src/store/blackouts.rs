//! Blackouts: claims by nobody. They take what is free of their time, and what bookings give up of it later.

use std::collections::BTreeMap;

use contracts::rules::Scope;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BlackoutId, BookingId, OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How the flag of a booking begins that a blackout was laid over.
pub const CLOSED: &str = "Closed: ";

/// A closure, as it lies over a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Closure {
    /// The blackout.
    pub blackout_id: BlackoutId,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Why, for people.
    #[schema(example = "Renovation")]
    pub reason: String,
    /// What it is laid on.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
}

/// The closures over a resource within a window, by their start.
///
/// # Errors
/// When the database fails.
pub async fn over(
    tx: &mut Tx,
    organization: OrganizationId,
    resource: ResourceId,
    window: &Slot,
) -> Result<Vec<Closure>, Problem> {
    let rows = sqlx::query!(
        "select b.id, b.scope, b.scope_id, b.starts_at, b.ends_at, b.reason
         from bookings.blackout b
         join bookings.resource r on r.organization_id = $1 and r.id = $2
             and case b.scope when 'organization' then true
                              when 'type' then r.type_id = b.scope_id
                              when 'location' then b.scope_id = any(r.location_path)
                              else r.id = any(b.covers) end
         where b.organization_id = $1 and b.removed_at is null and b.ends_at > $3 and b.starts_at < $4
         order by b.starts_at, b.id",
        organization.0,
        resource.0,
        window.starts_at().to_sqlx(),
        window.ends_at().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let closures = rows.into_iter().map(|row| {
        Ok(Closure {
            blackout_id: BlackoutId(row.id),
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            reason: row.reason,
            scope: serde_json::from_value(row.scope.into()).map_err(|error| Problem::internal(&error))?,
            scope_id: row.scope_id,
        })
    });
    closures.collect()
}

/// Lets every blackout over some resources take what is free of its time within a span.
///
/// The resources are locked, or belong to this transaction.
///
/// # Errors
/// When the database fails.
pub async fn fill(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[ResourceId],
    span: &Slot,
) -> Result<(), Problem> {
    let resources: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select b.id as blackout_id, b.starts_at, b.ends_at, u.id as unit_id
           from bookings.blackout b
           join bookings.resource r on r.organization_id = $1 and r.id = any($2)
               and case b.scope when 'organization' then true
                                when 'type' then r.type_id = b.scope_id
                                when 'location' then b.scope_id = any(r.location_path)
                                else r.id = any(b.covers) end
           join bookings.unit u on u.organization_id = $1 and u.resource_id = r.id
           where b.organization_id = $1 and b.removed_at is null and b.ends_at > $3 and b.starts_at < $4
           order by u.id, b.created_at, b.id"#,
        organization.0,
        &resources,
        span.starts_at().to_sqlx(),
        span.ends_at().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let units: Vec<i64> = rows.iter().map(|row| row.unit_id).collect();
    if units.is_empty() {
        return Ok(());
    }
    let mut taken = taken(tx, organization, &units, span).await?;
    let mut claims = Vec::new();
    for row in rows {
        let Ok(slot) = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff()) else { continue };
        let Some(slot) = slot.within(span) else { continue };
        let taken = taken.entry(row.unit_id).or_default();
        let free = slot.minus(taken);
        taken.extend(&free);
        claims.extend(free.into_iter().map(|slot| (row.unit_id, row.blackout_id, slot)));
    }
    insert(tx, organization, &claims).await
}

/// The live claims on units within a span.
async fn taken(
    tx: &mut Tx,
    organization: OrganizationId,
    units: &[i64],
    span: &Slot,
) -> Result<BTreeMap<i64, Vec<Slot>>, Problem> {
    let rows = sqlx::query!(
        "select unit_id, starts_at, ends_at from bookings.claim
         where organization_id = $1 and unit_id = any($2) and live and starts_at < $4 and ends_at > $3",
        organization.0,
        units,
        span.starts_at().to_sqlx(),
        span.ends_at().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut taken = BTreeMap::<i64, Vec<Slot>>::new();
    for row in rows {
        let slot = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff());
        taken.entry(row.unit_id).or_default().push(slot.map_err(|error| Problem::internal(&error))?);
    }
    Ok(taken)
}

async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    claims: &[(i64, Uuid, Slot)],
) -> Result<(), Problem> {
    let units: Vec<i64> = claims.iter().map(|(unit, ..)| *unit).collect();
    let blackouts: Vec<Uuid> = claims.iter().map(|(_, blackout, _)| *blackout).collect();
    let starts: Vec<jiff_sqlx::Timestamp> =
        claims.iter().map(|(.., slot)| slot.starts_at().to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> = claims.iter().map(|(.., slot)| slot.ends_at().to_sqlx()).collect();
    sqlx::query!(
        "insert into bookings.claim (organization_id, unit_id, blackout_id, starts_at, ends_at)
         select $1, * from unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])",
        organization.0,
        &units,
        &blackouts,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The bookings that have claims on some resources within a span, so many at most.
///
/// # Errors
/// When the database fails.
pub async fn bookings_within(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &[ResourceId],
    span: &Slot,
    limit: i64,
) -> Result<Vec<BookingId>, Problem> {
    let resources: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    let ids = sqlx::query_scalar!(
        r#"select distinct c.booking_id as "id!" from bookings.unit u
           join bookings.claim c on c.organization_id = $1 and c.unit_id = u.id and c.live and c.booking_id is not null
               and c.starts_at < $4 and c.ends_at > $3
           where u.organization_id = $1 and u.resource_id = any($2)
           order by c.booking_id limit $5"#,
        organization.0,
        &resources,
        span.starts_at().to_sqlx(),
        span.ends_at().to_sqlx(),
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(BookingId).collect())
}
