//! Quotas, counted under a lock in the transaction that books: two requests at once cannot both take the last of one.

use contracts::rules::{Measure, Quota, QuotaOf, Scope};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::booking::Booking;
use crate::policy::Broken;
use crate::quota::{detail, window};
use crate::rules::ScopedQuota;

/// A quota, and what a booking would take of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Usage {
    /// What it is laid on.
    pub scope: Scope,
    /// The id of that.
    pub scope_id: Uuid,
    /// How much one may have.
    pub quota: Quota,
    /// What is taken already.
    pub used: i64,
    /// What the booking would take.
    pub asked: i64,
    /// What would be left; below zero when it would be refused.
    pub left: i64,
}

impl Usage {
    /// The rule that is broken when it is overdrawn.
    #[must_use]
    pub fn broken(&self) -> Option<Broken> {
        let quota = ScopedQuota { scope: self.scope, scope_id: self.scope_id, quota: self.quota };
        let broken = || Broken { rule: "quota", detail: detail(&quota, self.used), resource_id: None };
        (self.left < 0).then(broken)
    }
}

/// What a booking would take of quotas. Whoever else counts for the same people waits until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn usage(
    tx: &mut Tx,
    organization: OrganizationId,
    quotas: &[ScopedQuota],
    booking: &Booking,
    now: Timestamp,
) -> Result<Vec<Usage>, Problem> {
    lock(tx, quotas, booking.user_id).await?;
    let mut usages = Vec::new();
    for scoped in quotas {
        let used = used(tx, organization, scoped, booking, now).await?;
        let asked = match scoped.quota.measure {
            Measure::Count => 1,
            Measure::Minutes => booking.slot.duration().as_mins(),
            Measure::Money => booking.quote.as_ref().map_or(0, |quote| quote.total.amount),
        };
        let left = scoped.quota.limit.saturating_sub(used).saturating_sub(asked);
        let ScopedQuota { scope, scope_id, quota } = *scoped;
        usages.push(Usage { scope, scope_id, quota, used, asked, left });
    }
    Ok(usages)
}

/// The quotas that a booking would overdraw.
///
/// # Errors
/// When the database fails.
pub async fn overdrawn(
    tx: &mut Tx,
    organization: OrganizationId,
    quotas: &[ScopedQuota],
    booking: &Booking,
    now: Timestamp,
) -> Result<Vec<Broken>, Problem> {
    let usages = usage(tx, organization, quotas, booking, now).await?;
    Ok(usages.iter().filter_map(Usage::broken).collect())
}

/// Whoever else counts for the same people waits; taken after the resources, and in one order.
async fn lock(tx: &mut Tx, quotas: &[ScopedQuota], owner: UserId) -> Result<(), Problem> {
    let counted = |quota: &ScopedQuota| match quota.quota.of {
        QuotaOf::User => owner.0,
        QuotaOf::Group => quota.scope_id,
    };
    let mut keys: Vec<Uuid> = quotas.iter().map(counted).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        // Ids are random: two that share the 64 bits wait for each other, and that is all.
        let key = i64::from_ne_bytes(key.as_u64_pair().1.to_ne_bytes());
        sqlx::query!("select pg_advisory_xact_lock($1)", key).execute(&mut **tx).await?;
    }
    Ok(())
}

/// What is taken of a quota already, the booking itself left out.
async fn used(
    tx: &mut Tx,
    organization: OrganizationId,
    quota: &ScopedQuota,
    booking: &Booking,
    now: Timestamp,
) -> Result<i64, Problem> {
    let zone = booking.resources.first().and_then(|one| TimeZone::get(&one.time_zone).ok());
    let window = window(quota.quota.per, booking.slot.starts_at(), &zone.unwrap_or(TimeZone::UTC));
    let BookingId(id) = booking.id;
    let by_group = quota.quota.of == QuotaOf::Group;
    let resources = match quota.scope {
        Scope::Organization | Scope::Group => "all",
        Scope::Type => "type",
        Scope::Location => "location",
        Scope::Resource => "resource",
    };
    let row = sqlx::query!(
        r#"select count(*) as "count!", coalesce(sum(extract(epoch from b.ends_at - b.starts_at) / 60), 0)::bigint as "minutes!",
                  coalesce(sum(b.price), 0)::bigint as "money!"
           from bookings.booking b
           where b.organization_id = $1 and b.id <> $2
             and case when $3 then b.user_id in (select user_id from bookings.membership
                                                 where organization_id = $1 and group_id = $4)
                      else b.user_id = $5 end
             and b.status in ('held', 'pending', 'confirmed', 'checked_in', 'completed', 'no_show')
             and (b.status <> 'held' or b.expires_at > $6)
             and case when $7::timestamptz is null then b.ends_at > $6
                      else b.starts_at >= $7 and b.starts_at < $8 end
             and ($9 = 'all' or exists (
                 select from bookings.booking_resource br
                 join bookings.resource r on r.organization_id = $1 and r.id = br.resource_id
                 where br.organization_id = $1 and br.booking_id = b.id
                   and case $9 when 'type' then r.type_id = $4
                               when 'location' then $4 = any(r.location_path)
                               else r.id = $4 end))"#,
        organization.0,
        id,
        by_group,
        quota.scope_id,
        booking.user_id.0,
        now.to_sqlx(),
        window.map(|window| window.starts_at().to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        window.map(|window| window.ends_at().to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        resources,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match quota.quota.measure {
        Measure::Count => row.count,
        Measure::Minutes => row.minutes,
        Measure::Money => row.money,
    })
}
