//! Bookings that may no longer fit: which resources to look at, their bookings, and what is wrong with one.

use contracts::rules::Scope;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, ResourceId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use super::known::Known;
use super::resources::{nodes, tree};
use super::rules::Rulebook;
use crate::booking::Booking;
use crate::policy::is_outside_hours;

/// Has the bookings of a resource looked at.
///
/// # Errors
/// When the database fails.
pub async fn resource(tx: &mut Tx, organization: OrganizationId, id: ResourceId) -> Result<(), Problem> {
    scope(tx, organization, Scope::Resource, id.0).await
}

/// Has the bookings of all resources of a scope looked at, from the first; of a group: of all there are.
///
/// # Errors
/// When the database fails.
pub async fn scope(
    tx: &mut Tx,
    organization: OrganizationId,
    scope: Scope,
    scope_id: Uuid,
) -> Result<(), Problem> {
    let name = match scope {
        Scope::Organization | Scope::Group => "all",
        Scope::Type => "type",
        Scope::Location => "location",
        Scope::Resource => "resource",
    };
    sqlx::query!(
        "insert into bookings.recheck (organization_id, resource_id)
         select organization_id, id from bookings.resource
         where organization_id = $1 and case $2 when 'all' then true when 'type' then type_id = $3
                                                when 'location' then $3 = any(location_path) else id = $3 end
         order by id
         on conflict on constraint recheck_pkey do update set after_id = excluded.after_id",
        organization.0,
        name,
        scope_id,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The next bookings of a resource that is looked at, after those seen; none when another replica is at it.
///
/// # Errors
/// When the database fails.
pub async fn next(
    tx: &mut Tx,
    organization: OrganizationId,
    resource: ResourceId,
    now: Timestamp,
    limit: i64,
) -> Result<Option<Vec<BookingId>>, Problem> {
    let after = sqlx::query_scalar!(
        "select after_id from bookings.recheck where organization_id = $1 and resource_id = $2 for update skip locked",
        organization.0,
        resource.0,
    );
    let Some(after) = after.fetch_optional(&mut **tx).await? else { return Ok(None) };
    // Claims on a unit never overlap: of those that started, only the last can still be on.
    let ids = sqlx::query_scalar!(
        r#"select distinct c.booking_id as "id!" from bookings.unit u
           cross join lateral (
               (select booking_id, ends_at from bookings.claim
                where organization_id = $1 and unit_id = u.id and live and starts_at <= $3
                order by starts_at desc limit 1)
               union all
               (select booking_id, ends_at from bookings.claim
                where organization_id = $1 and unit_id = u.id and live and starts_at > $3)
           ) c
           where u.organization_id = $1 and u.resource_id = $2 and c.ends_at > $3 and c.booking_id > $4
           order by c.booking_id limit $5"#,
        organization.0,
        resource.0,
        now.to_sqlx(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(Some(ids.into_iter().map(BookingId).collect()))
}

/// Keeps how far the look at a resource has come; none: it is done.
///
/// # Errors
/// When the database fails.
pub async fn reached(
    tx: &mut Tx,
    organization: OrganizationId,
    resource: ResourceId,
    last: Option<BookingId>,
) -> Result<(), Problem> {
    match last {
        Some(last) => sqlx::query!(
            "update bookings.recheck set after_id = $3 where organization_id = $1 and resource_id = $2",
            organization.0,
            resource.0,
            last.0,
        ),
        None => sqlx::query!(
            "delete from bookings.recheck where organization_id = $1 and resource_id = $2",
            organization.0,
            resource.0,
        ),
    }
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What no longer fits about a booking, as codes separated by spaces; none when all does.
///
/// # Errors
/// When the database fails.
pub async fn misfit(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: &Booking,
) -> Result<Option<String>, Problem> {
    let ids: Vec<ResourceId> = booking.resources.iter().map(|one| one.resource_id).collect();
    let tree = tree(tx, organization, &ids).await?;
    let claimed = sqlx::query!(
        r#"select u.resource_id, bool_or(u.retired) as "unit_retired!", bool_or(r.status = 'retired') as "retired!"
           from bookings.claim c
           join bookings.unit u on u.organization_id = $1 and u.id = c.unit_id
           join bookings.resource r on r.organization_id = $1 and r.id = u.resource_id
           where c.organization_id = $1 and c.booking_id = $2 and c.live
           group by u.resource_id"#,
        organization.0,
        booking.id.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let has = |id: &ResourceId| claimed.iter().any(|row| row.resource_id == id.0);
    let book = Rulebook::load(tx, organization, &tree, &[booking.user_id]).await?;
    let owner = book.someone(booking.user_id);
    let known = Known::new(tree, book, owner.clone());
    let is_outside = known.items(booking, &owner).iter().any(|item| is_outside_hours(item, &booking.slot));
    let mut misfits = Vec::new();
    if claimed.iter().any(|row| row.retired) {
        misfits.push("resource_retired");
    } else if claimed.iter().any(|row| row.unit_retired) {
        misfits.push("unit_retired");
    }
    if ids.iter().flat_map(|id| nodes(&known.tree, *id)).any(|id| !has(&id)) {
        misfits.push("parts_changed");
    }
    if is_outside {
        misfits.push("outside_hours");
    }
    Ok((!misfits.is_empty()).then(|| misfits.join(" ")))
}
