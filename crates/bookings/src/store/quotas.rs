//! Quotas, counted under a lock in the transaction that books: two requests at once cannot both take the last of one.

use contracts::rules::{Measure, Period, Quota, QuotaOf, Scope};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, Slot, UserId};
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
    let mut ledger = Ledger::without(&[booking.id]);
    ledger.read(tx, organization, quotas, &[booking], now).await?;
    Ok(ledger.usage(quotas, booking))
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

/// What is taken of quotas, by those of a batch as well that are not written yet: two occurrences of one series together
/// cannot overdraw what each alone would not.
#[derive(Debug)]
pub struct Ledger {
    without: Vec<Uuid>,
    used: Vec<(ScopedQuota, Option<Slot>, i64)>,
}

impl Ledger {
    /// One that counts some bookings only as they are added: they are about to be written.
    #[must_use]
    pub fn without(bookings: &[BookingId]) -> Self {
        Self { without: bookings.iter().map(|id| id.0).collect(), used: Vec::new() }
    }

    /// Reads what is taken in all times in which bookings of one owner count, one query for each quota.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(
        &mut self,
        tx: &mut Tx,
        organization: OrganizationId,
        quotas: &[ScopedQuota],
        bookings: &[&Booking],
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Some(owner) = bookings.first().map(|booking| booking.user_id) else { return Ok(()) };
        if !quotas.is_empty() {
            lock(tx, quotas, owner).await?;
        }
        for quota in quotas {
            let mut windows: Vec<Option<Slot>> =
                bookings.iter().map(|booking| counted_in(quota, booking)).collect();
            windows.sort();
            windows.dedup();
            windows.retain(|window| self.find(quota, *window).is_none());
            if windows.is_empty() {
                continue;
            }
            let used = used(tx, organization, quota, owner, &self.without, &windows, now).await?;
            self.used.extend(windows.into_iter().zip(used).map(|(window, used)| (*quota, window, used)));
        }
        Ok(())
    }

    /// What one more booking would take.
    #[must_use]
    pub fn usage(&self, quotas: &[ScopedQuota], booking: &Booking) -> Vec<Usage> {
        let usages = quotas.iter().map(|scoped| {
            let place = self.find(scoped, counted_in(scoped, booking));
            let used = place.and_then(|place| self.used.get(place)).map_or(0, |(.., used)| *used);
            let asked = asked(scoped, booking);
            let left = scoped.quota.limit.saturating_sub(used).saturating_sub(asked);
            let ScopedQuota { scope, scope_id, quota } = *scoped;
            Usage { scope, scope_id, quota, used, asked, left }
        });
        usages.collect()
    }

    /// The quotas that one more booking would overdraw.
    #[must_use]
    pub fn overdrawn(&self, quotas: &[ScopedQuota], booking: &Booking) -> Vec<Broken> {
        self.usage(quotas, booking).iter().filter_map(Usage::broken).collect()
    }

    /// Counts one more booking.
    pub fn add(&mut self, quotas: &[ScopedQuota], booking: &Booking) {
        for quota in quotas {
            let place = self.find(quota, counted_in(quota, booking));
            if let Some((.., used)) = place.and_then(|place| self.used.get_mut(place)) {
                *used = used.saturating_add(asked(quota, booking));
            }
        }
    }

    fn find(&self, quota: &ScopedQuota, window: Option<Slot>) -> Option<usize> {
        self.used.iter().position(|(other, when, _)| other == quota && *when == window)
    }
}

/// What a booking takes of a quota.
fn asked(quota: &ScopedQuota, booking: &Booking) -> i64 {
    match quota.quota.measure {
        Measure::Count => 1,
        Measure::Minutes => booking.slot.duration().as_mins(),
        Measure::Money => booking.quote.as_ref().map_or(0, |quote| quote.total.amount),
    }
}

/// The time in which a booking counts; none: all that are not over.
fn counted_in(quota: &ScopedQuota, booking: &Booking) -> Option<Slot> {
    let zone = booking.resources.first().and_then(|one| TimeZone::get(&one.time_zone).ok());
    window(quota.quota.per, booking.slot.starts_at(), &zone.unwrap_or(TimeZone::UTC))
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

/// What is taken of a quota already, in each of some times in their order, some bookings left out.
async fn used(
    tx: &mut Tx,
    organization: OrganizationId,
    quota: &ScopedQuota,
    owner: UserId,
    without: &[Uuid],
    windows: &[Option<Slot>],
    now: Timestamp,
) -> Result<Vec<i64>, Problem> {
    let at_once = quota.quota.per == Period::AtOnce;
    let starts: Vec<jiff_sqlx::Timestamp> =
        windows.iter().map(|window| window.map_or(now, |window| window.starts_at()).to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> =
        windows.iter().map(|window| window.map_or(now, |window| window.ends_at()).to_sqlx()).collect();
    let by_group = quota.quota.of == QuotaOf::Group;
    let resources = match quota.scope {
        Scope::Organization | Scope::Group => "all",
        Scope::Type => "type",
        Scope::Location => "location",
        Scope::Resource => "resource",
    };
    let rows = sqlx::query!(
        r#"select count(b.id) as "count!",
                  coalesce(sum(extract(epoch from b.ends_at - b.starts_at) / 60), 0)::bigint as "minutes!",
                  coalesce(sum(b.price), 0)::bigint as "money!"
           from unnest($7::timestamptz[], $8::timestamptz[]) with ordinality as w (starts_at, ends_at, place)
           left join bookings.booking b
             on b.organization_id = $1 and b.id <> all($2)
             and case when $3 then b.user_id in (select user_id from bookings.membership
                                                 where organization_id = $1 and group_id = $4)
                      else b.user_id = $5 end
             and b.status in ('held', 'pending', 'confirmed', 'checked_in', 'completed', 'no_show')
             and (b.status <> 'held' or b.expires_at > $6)
             and case when $10 then b.ends_at > $6 else b.starts_at >= w.starts_at and b.starts_at < w.ends_at end
             and ($9 = 'all' or exists (
                 select from bookings.booking_resource br
                 join bookings.resource r on r.organization_id = $1 and r.id = br.resource_id
                 where br.organization_id = $1 and br.booking_id = b.id
                   and case $9 when 'type' then r.type_id = $4
                               when 'location' then $4 = any(r.location_path)
                               else r.id = $4 end))
           group by w.place order by w.place"#,
        organization.0,
        without,
        by_group,
        quota.scope_id,
        owner.0,
        now.to_sqlx(),
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
        resources,
        at_once,
    )
    .fetch_all(&mut **tx)
    .await?;
    let used = rows.into_iter().map(|row| match quota.quota.measure {
        Measure::Count => row.count,
        Measure::Minutes => row.minutes,
        Measure::Money => row.money,
    });
    Ok(used.collect())
}
