//! Sums for reports: keeping them current by events, and reading those of some days.

use std::collections::BTreeMap;

use contracts::bookings as wire;
use jiff::civil::Date;
use kernel::{GroupId, OrganizationId, ResourceId};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::report::{Fact, Key, Measure, difference};

/// What every event of a booking has.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    before: Option<wire::Booking>,
    booking: wire::Booking,
}

/// Counts what an event tells of a booking; of others, nothing.
///
/// # Errors
/// When the event cannot be read or the database fails.
pub async fn count(tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
    if !event.kind.starts_with("reservas.booking.") {
        return Ok(());
    }
    let told = Told::deserialize(&event.data).map_err(|error| Problem::internal(&error))?;
    let organization = event.organizationid;
    let known = sqlx::query!(
        r#"select version, fact as "fact: Json<Fact>" from bookings.report_fact
           where organization_id = $1 and booking_id = $2"#,
        organization.0,
        event.subject,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if known.as_ref().is_some_and(|known| known.version >= event.streamversion) {
        return Ok(());
    }
    let before = known.map(|known| known.fact.0);
    let after = fact(tx, event, told, before.as_ref()).await?;
    let difference = difference(before.as_ref(), &after);
    sqlx::query!(
        "insert into bookings.report_fact (organization_id, booking_id, version, fact) values ($1, $2, $3, $4)
         on conflict on constraint report_fact_pkey do update set version = excluded.version, fact = excluded.fact",
        organization.0,
        event.subject,
        event.streamversion,
        Json(&after) as Json<&Fact>,
    )
    .execute(&mut **tx)
    .await?;
    add(tx, organization, &difference).await
}

/// What is to be counted of a booking now.
async fn fact(tx: &mut Tx, event: &Envelope, told: Told, before: Option<&Fact>) -> Result<Fact, Problem> {
    let same_owner = before.filter(|before| before.booking.user_id == told.booking.user_id);
    let groups = match same_owner {
        Some(before) => before.groups.clone(),
        None => groups_of(tx, event.organizationid, told.booking.user_id.0).await?,
    };
    let is_cancelled = told.booking.status == wire::BookingStatus::Cancelled;
    let was_held = told.before.is_some_and(|before| before.status == wire::BookingStatus::Held);
    let cancelled_at = match before.and_then(|before| before.cancelled_at) {
        Some(at) if is_cancelled => Some(at),
        _ => (is_cancelled && !was_held).then_some(event.time),
    };
    Ok(Fact { booking: told.booking, groups, cancelled_at })
}

async fn groups_of(tx: &mut Tx, organization: OrganizationId, user: Uuid) -> Result<Vec<GroupId>, Problem> {
    let groups = sqlx::query_scalar!(
        "select group_id from bookings.membership where organization_id = $1 and user_id = $2 order by group_id",
        organization.0,
        user,
    );
    Ok(groups.fetch_all(&mut **tx).await?.into_iter().map(GroupId).collect())
}

async fn add(
    tx: &mut Tx,
    organization: OrganizationId,
    difference: &BTreeMap<Key, i64>,
) -> Result<(), Problem> {
    if difference.is_empty() {
        return Ok(());
    }
    let measures: Vec<String> = difference.keys().map(|key| key.measure.name().to_owned()).collect();
    let groups: Vec<Uuid> = difference.keys().map(|key| key.group_id).collect();
    let days: Vec<String> = difference.keys().map(|key| key.day.to_string()).collect();
    let resources: Vec<Uuid> = difference.keys().map(|key| key.resource_id.0).collect();
    let buckets: Vec<i16> = difference.keys().map(|key| key.bucket).collect();
    let amounts: Vec<i64> = difference.values().copied().collect();
    sqlx::query!(
        "insert into bookings.report_count (organization_id, measure, group_id, day, resource_id, bucket, amount)
         select $1, measure, group_id, day::date, resource_id, bucket, amount
         from unnest($2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::smallint[], $7::bigint[])
              as d (measure, group_id, day, resource_id, bucket, amount)
         on conflict on constraint report_count_pkey do update set amount = report_count.amount + excluded.amount",
        organization.0,
        &measures,
        &groups,
        &days,
        &resources,
        &buckets,
        &amounts,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A sum that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The name of what is summed up.
    pub measure: String,
    /// Of whose bookings; nil: everybody's.
    pub group_id: Uuid,
    /// Of which resource.
    pub resource_id: ResourceId,
    /// Hour or length of time, where these are told apart; else 0.
    pub bucket: i16,
    /// Day of the week, from Monday as 1, where hours are told apart; else 0.
    pub weekday: i32,
    /// How much.
    pub amount: i64,
}

/// The sums of the days from `from` to before `to`: everybody's, or those of each group; by hour and weekday, or not.
///
/// # Errors
/// When the database fails.
pub async fn sums(
    tx: &mut Tx,
    organization: OrganizationId,
    measures: &[Measure],
    (from, to): (Date, Date),
    by_group: bool,
    by_hour: bool,
) -> Result<Vec<Sum>, Problem> {
    let measures: Vec<String> = measures.iter().map(|one| one.name().to_owned()).collect();
    let (first, last) = if by_group { (Uuid::from_u128(1), Uuid::max()) } else { (Uuid::nil(), Uuid::nil()) };
    let rows = sqlx::query!(
        r#"select measure, group_id, resource_id,
                  (case when $7 or measure in ('cancellations', 'lead_times') then bucket else 0 end)::smallint as "bucket!",
                  (case when $7 then extract(isodow from day) else 0 end)::int as "weekday!",
                  sum(amount)::bigint as "amount!"
           from bookings.report_count
           where organization_id = $1 and measure = any($2) and group_id between $3 and $4
             and day >= $5::text::date and day < $6::text::date
           group by 1, 2, 3, 4, 5 having sum(amount) <> 0"#,
        organization.0,
        &measures,
        first,
        last,
        from.to_string(),
        to.to_string(),
        by_hour,
    )
    .fetch_all(&mut **tx)
    .await?;
    let sums = rows.into_iter().map(|row| Sum {
        measure: row.measure,
        group_id: row.group_id,
        resource_id: ResourceId(row.resource_id),
        bucket: row.bucket,
        weekday: row.weekday,
        amount: row.amount,
    });
    Ok(sums.collect())
}
