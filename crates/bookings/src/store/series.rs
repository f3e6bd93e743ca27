//! Series in the database, and which bookings are theirs.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, SeriesId, UserId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::{IfMatch, Problem};
use sqlx::types::Json;
use uuid::Uuid;

use super::{bookings, reach};
use crate::booking::{Booking, Status, Wanted};
use crate::recurrence::Local;
use crate::series::Series;

/// Keeps a new series.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, organization: OrganizationId, series: &Series) -> Result<(), Problem> {
    let all = |locals: &[Local]| locals.iter().map(|local| local.0.to_sqlx()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into bookings.series (organization_id, id, version, user_id, created_by, title, attendees, rule, starts_at,
             time_zone, duration_minutes, rdates, exdates, resources, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)",
        organization.0,
        series.id.0,
        series.version,
        series.user_id.0,
        series.created_by.0,
        series.title,
        series.attendees,
        series.rule,
        series.starts_at.0.to_sqlx(),
        series.time_zone,
        series.duration_minutes,
        &all(&series.rdates) as &[jiff_sqlx::DateTime],
        &all(&series.exdates) as &[jiff_sqlx::DateTime],
        Json(&series.resources) as Json<&Vec<Wanted>>,
        series.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves a change of a series. The row is locked by whoever loaded it.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &mut Tx, organization: OrganizationId, series: &Series) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.series set version = $3, title = $4, starts_at = $5, duration_minutes = $6, resources = $7,
             updated_at = $8
         where organization_id = $1 and id = $2",
        organization.0,
        series.id.0,
        series.version,
        series.title,
        series.starts_at.0.to_sqlx(),
        series.duration_minutes,
        Json(&series.resources) as Json<&Vec<Wanted>>,
        series.updated_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The series with these ids, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn many(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Series>, Problem> {
    let rows = sqlx::query!(
        r#"select id, version, user_id, created_by, title, attendees, rule, starts_at, time_zone, duration_minutes,
                  rdates as "rdates: Vec<jiff_sqlx::DateTime>", exdates as "exdates: Vec<jiff_sqlx::DateTime>",
                  resources as "resources: Json<Vec<Wanted>>", created_at, updated_at
           from bookings.series where organization_id = $1 and id = any($2) order by id"#,
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let all = |locals: Vec<jiff_sqlx::DateTime>| locals.into_iter().map(|one| Local(one.to_jiff())).collect();
    let series = rows.into_iter().map(|row| Series {
        id: SeriesId(row.id),
        version: row.version,
        user_id: UserId(row.user_id),
        created_by: UserId(row.created_by),
        title: row.title,
        attendees: row.attendees,
        rule: row.rule,
        starts_at: Local(row.starts_at.to_jiff()),
        time_zone: row.time_zone,
        duration_minutes: row.duration_minutes,
        rdates: all(row.rdates),
        exdates: all(row.exdates),
        resources: row.resources.0,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
    });
    Ok(series.collect())
}

/// The series that the caller may see.
///
/// # Errors
/// 404 when there is none.
pub async fn get(tx: &mut Tx, actor: &Actor, id: SeriesId) -> Result<Series, Problem> {
    let series = many(tx, actor.organization, &[id.0]).await?.pop();
    let series = series.ok_or_else(|| Problem::not_found("series"))?;
    let is_theirs = series.user_id == actor.user || series.created_by == actor.user;
    let resources = series.resources.iter().map(|one| one.resource_id);
    if is_theirs || reach::covers(tx, actor, series.user_id, resources).await? {
        return Ok(series);
    }
    Err(Problem::not_found("series"))
}

/// The series for a change by the caller, locked and of the version that they saw, with those of its bookings that lie
/// ahead from an occurrence on, locked as well. What was given to somebody else is theirs and stays.
///
/// # Errors
/// 404, or 412 when it was changed meanwhile.
pub async fn for_change(
    tx: &mut Tx,
    actor: &Actor,
    id: SeriesId,
    version: Option<IfMatch>,
    from: Option<Local>,
    now: Timestamp,
) -> Result<(Series, Vec<Booking>), Problem> {
    sqlx::query!(
        "select id from bookings.series where organization_id = $1 and id = $2 for update",
        actor.organization.0,
        id.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    let series = get(tx, actor, id).await?;
    version.map_or(Ok(()), |version| version.check(series.version))?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking
         where organization_id = $1 and series_id = $2 and user_id = $3 and status in ('pending', 'confirmed')
           and starts_at > $4 and ($5::timestamp is null or occurrence >= $5)
         order by id for update",
        actor.organization.0,
        id.0,
        series.user_id.0,
        now.to_sqlx(),
        from.map(|local| local.0.to_sqlx()) as Option<jiff_sqlx::DateTime>,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ahead = bookings::many(tx, actor.organization, &ids).await?;
    // One that was moved to a place that is not the caller's to manage stays.
    let mut ahead = bookings::open_among(tx, ahead, actor).await?;
    // A request whose time has run out is the timed job's to end.
    ahead.retain(|one| matches!(one.status, Status::Pending | Status::Confirmed) && !one.has_expired(now));
    Ok((series, ahead))
}

/// The bookings of a series that the caller may see, in the order of their start.
///
/// # Errors
/// When the database fails.
pub async fn bookings(tx: &mut Tx, actor: &Actor, id: SeriesId) -> Result<Vec<Booking>, Problem> {
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking where organization_id = $1 and series_id = $2",
        actor.organization.0,
        id.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let all = bookings::many(tx, actor.organization, &ids).await?;
    bookings::open_among(tx, all, actor).await
}
