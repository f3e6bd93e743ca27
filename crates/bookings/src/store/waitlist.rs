//! The waitlist: who waits is served in the transaction that frees a time, so that nobody races for it.

use contracts::bookings as wire;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, ResourceId, Slot, UserId, WaitlistEntryId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use sqlx::types::Json;
use uuid::Uuid;

use super::alternatives::open;
use super::known::Known;
use super::rules::Rulebook;
use super::write::{self, Act, Applied, Change};
use super::{calendar, credits, resources};
use crate::booking::{Booking, Status, Wanted, reference};
use crate::terms::Terms;
use crate::waiting::{Entry, WaitlistStatus};

/// How long an offer holds, but not beyond the start.
const OFFER: SignedDuration = SignedDuration::from_mins(15);
/// Entries that one freed time is offered to at most, each of whom may take a part of it.
const MOST_OFFERED: usize = 50;
/// Entries that one freed time is looked at for at most, the first first. The look ends before when nothing is left.
const MOST_LOOKED_AT: i64 = 10_000;
/// Of these, so many are locked and read at once.
const PIECE: usize = 50;
/// Entries of one person that wait or are offered at once, at most.
pub const MOST_OPEN: i64 = 20;

/// Entries in the order in which they are served, by id.
async fn load(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Entry>, Problem> {
    let rows = sqlx::query!(
        r#"select id, user_id, created_by, title, attendees, resources as "resources: Json<Vec<Wanted>>", starts_at, ends_at,
                  accept_minutes, priority, status as "status: WaitlistStatus", booking_id, created_at
           from bookings.waitlist_entry where organization_id = $1 and id = any($2)
           order by priority desc, created_at, id"#,
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let slot = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff());
            Ok(Entry {
                id: WaitlistEntryId(row.id),
                user_id: UserId(row.user_id),
                created_by: UserId(row.created_by),
                title: row.title,
                attendees: row.attendees,
                resources: row.resources.0,
                slot: slot.map_err(|error| Problem::internal(&error))?,
                accept_minutes: row.accept_minutes,
                priority: row.priority,
                status: row.status,
                booking_id: row.booking_id.map(BookingId),
                created_at: row.created_at.to_jiff(),
            })
        })
        .collect()
}

/// The entry with an id, locked; none when the organization has none.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    id: WaitlistEntryId,
) -> Result<Option<Entry>, Problem> {
    let locked = sqlx::query!(
        "select id from bookings.waitlist_entry where organization_id = $1 and id = $2 for update",
        organization.0,
        id.0,
    );
    if locked.fetch_optional(&mut **tx).await?.is_none() {
        return Ok(None);
    }
    Ok(load(tx, organization, &[id.0]).await?.pop())
}

/// The entries of a page, in the order of their ids, which is that of their making.
///
/// # Errors
/// When the database fails.
pub async fn many(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Entry>, Problem> {
    let mut entries = load(tx, organization, ids).await?;
    entries.sort_by_key(|entry| entry.id);
    Ok(entries)
}

/// Adds an entry, found by each of the resources that it waits for.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, act: &Act, entry: &Entry, resources: &[ResourceId]) -> Result<(), Problem> {
    sqlx::query!(
        "insert into bookings.waitlist_entry (organization_id, id, version, user_id, created_by, title, attendees, resources,
             starts_at, ends_at, accept_minutes, priority, status, created_at, updated_at)
         values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
        act.organization.0,
        entry.id.0,
        entry.user_id.0,
        entry.created_by.0,
        entry.title,
        entry.attendees,
        Json(&entry.resources) as Json<&Vec<Wanted>>,
        entry.slot.starts_at().to_sqlx(),
        entry.slot.ends_at().to_sqlx(),
        entry.accept_minutes,
        entry.priority,
        entry.status.name(),
        entry.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let resources: Vec<Uuid> = resources.iter().map(|id| id.0).collect();
    sqlx::query!(
        "insert into bookings.waitlist_resource (organization_id, resource_id, entry_id)
         select $1, resource_id, $3 from unnest($2::uuid[]) resource_id",
        act.organization.0,
        &resources,
        entry.id.0,
    )
    .execute(&mut **tx)
    .await?;
    let event = wire::WaitlistJoined { entry: told(entry) };
    events::append(tx, act.organization, &act.origin, &event, act.now).await?;
    Ok(())
}

/// An entry as events tell of it.
fn told(entry: &Entry) -> wire::WaitlistEntry {
    wire::WaitlistEntry {
        id: entry.id,
        user_id: entry.user_id,
        slot: entry.slot,
        booking_id: entry.booking_id,
    }
}

/// Saves where an entry is in its life, and tells of it.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &mut Tx, act: &Act, entry: &Entry) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.waitlist_entry set status = $3, booking_id = $4, version = version + 1
         where organization_id = $1 and id = $2",
        act.organization.0,
        entry.id.0,
        entry.status.name(),
        entry.booking_id.map(|id| id.0),
    )
    .execute(&mut **tx)
    .await?;
    if !matches!(entry.status, WaitlistStatus::Waiting | WaitlistStatus::Offered) {
        sqlx::query!(
            "delete from bookings.waitlist_resource where organization_id = $1 and entry_id = $2",
            act.organization.0,
            entry.id.0,
        )
        .execute(&mut **tx)
        .await?;
    }
    macro_rules! append {
        ($event:ident) => {
            events::append(tx, act.organization, &act.origin, &wire::$event { entry: told(entry) }, act.now)
                .await?
        };
    }
    match entry.status {
        WaitlistStatus::Waiting => append!(WaitlistJoined),
        WaitlistStatus::Offered => append!(WaitlistOffered),
        WaitlistStatus::Accepted => append!(WaitlistAccepted),
        WaitlistStatus::Withdrawn => append!(WaitlistWithdrawn),
        WaitlistStatus::Expired => append!(WaitlistExpired),
    };
    Ok(())
}

/// What became of the offer that a hold was: taken when it stands or is asked for, else the turn is over.
///
/// # Errors
/// When the database fails.
pub(super) async fn settle(
    tx: &mut Tx,
    act: &Act,
    id: WaitlistEntryId,
    hold: &Booking,
) -> Result<(), Problem> {
    let Some(entry) = find(tx, act.organization, id).await? else { return Ok(()) };
    if entry.status != WaitlistStatus::Offered {
        return Ok(());
    }
    let status = match hold.status {
        Status::Held => return Ok(()),
        Status::Pending | Status::Confirmed => WaitlistStatus::Accepted,
        _ => WaitlistStatus::Expired,
    };
    save(tx, act, &Entry { status, ..entry }).await
}

/// Offers what is free of some resources within a span to those who wait for it, in their order.
///
/// # Errors
/// When the database fails.
pub async fn serve(tx: &mut Tx, act: &Act, freed: &[ResourceId], span: &Slot) -> Result<(), Problem> {
    let waiting = waiting(tx, act, freed, span).await?;
    // Nobody's doing but the waitlist's.
    let origin = Origin { actor: None, on_behalf_of: None, ..act.origin.clone() };
    let act = Act { origin, ..act.clone() };
    let mut offered = 0;
    for (number, ids) in waiting.chunks(PIECE).enumerate() {
        if number > 0 && !is_left(tx, &act, freed, span).await? {
            break;
        }
        for id in lock(tx, act.organization, ids).await? {
            // As it is by now: to offer a time can end a hold that ran out, and what that frees is offered as well.
            let entry = load(tx, act.organization, &[id]).await?.pop();
            let Some(entry) = entry.filter(|entry| entry.status == WaitlistStatus::Waiting) else { continue };
            offered += usize::from(offer(tx, &act, entry).await?);
            if offered == MOST_OFFERED {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Those who wait for some resources within a span, in the order in which they are served.
async fn waiting(tx: &mut Tx, act: &Act, freed: &[ResourceId], span: &Slot) -> Result<Vec<Uuid>, Problem> {
    let freed: Vec<Uuid> = freed.iter().map(|id| id.0).collect();
    let ids = sqlx::query_scalar!(
        "select e.id from bookings.waitlist_entry e
         where e.organization_id = $1 and e.status = 'waiting' and e.starts_at < $4 and e.ends_at > $3 and e.ends_at > $5
           and e.id in (select entry_id from bookings.waitlist_resource where organization_id = $1 and resource_id = any($2))
         order by e.priority desc, e.created_at, e.id limit $6",
        act.organization.0,
        &freed,
        span.starts_at().to_sqlx(),
        span.ends_at().to_sqlx(),
        act.now.to_sqlx(),
        MOST_LOOKED_AT,
    );
    Ok(ids.fetch_all(&mut **tx).await?)
}

/// Locks those of some entries that wait still, and gives them in the order in which they are served.
async fn lock(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Uuid>, Problem> {
    let ids = sqlx::query_scalar!(
        "select id from bookings.waitlist_entry
         where organization_id = $1 and id = any($2) and status = 'waiting'
         order by priority desc, created_at, id for update",
        organization.0,
        ids,
    );
    Ok(ids.fetch_all(&mut **tx).await?)
}

/// Whether anything of some resources is still free within a span.
async fn is_left(tx: &mut Tx, act: &Act, freed: &[ResourceId], span: &Slot) -> Result<bool, Problem> {
    let tree = resources::tree(tx, act.organization, freed).await?;
    let calendar = calendar::read(tx, act.organization, &tree, span, act.now).await?;
    let instant = SignedDuration::from_micros(1);
    let is_free = |id: &ResourceId| {
        !crate::free::free(&calendar.shape(&tree, *id), &calendar.claims, span, instant).is_empty()
    };
    Ok(freed.iter().any(is_free))
}

/// How many entries of somebody wait or are offered. Whoever else joins for them waits until this transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn open_entries(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<i64, Problem> {
    credits::lock(tx, user).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from bookings.waitlist_entry
           where organization_id = $1 and user_id = $2 and status in ('waiting', 'offered')"#,
        organization.0,
        user.0,
    );
    Ok(count.fetch_one(&mut **tx).await?)
}

/// Holds for an entry what it waits for, if that is free and the rules allow it; tells whether it did.
async fn offer(tx: &mut Tx, act: &Act, entry: Entry) -> Result<bool, Problem> {
    let ids: Vec<ResourceId> = entry.resources.iter().map(|one| one.resource_id).collect();
    let tree = resources::lock(tx, act.organization, &ids).await?;
    let book = Rulebook::load(tx, act.organization, &tree, &[entry.user_id]).await?;
    let owner = book.someone(entry.user_id);
    let is_bookable = |id: &ResourceId| resources::is_bookable(&tree, *id);
    if !owner.active || !ids.iter().all(is_bookable) {
        return Ok(false);
    }
    let known = Known::new(tree, book, owner);
    let mut booking = hold(&entry, &known, act.now);
    let calendar = calendar::read(
        tx,
        act.organization,
        &known.tree,
        &entry.slot.padded(OFFER * 16, OFFER * 16),
        act.now,
    )
    .await?;
    let free = open(&known, &booking, &calendar, &entry.slot.padded(OFFER * 16, OFFER * 16));
    let Some(slot) = entry.fitting(&free, act.now) else { return Ok(false) };
    booking.slot = slot;
    let verdict = known.verdict(&booking, None, act.now);
    if !verdict.broken.is_empty() {
        return Ok(false);
    }
    booking.quote = verdict.quote;
    booking.priority = verdict.priority;
    booking.terms = Terms { waitlist: Some(entry.id), ..verdict.terms };
    booking.expires_at = Some((act.now + OFFER).min(slot.starts_at()));
    match write::rivals(tx, act, &known.tree, &booking).await {
        Ok(rivals) if rivals.is_empty() => {}
        Ok(_) => return Ok(false),
        // The pool has shrunk since they joined. What was freed for others is freed all the same.
        Err(problem) if problem.code == "not_enough_units" => return Ok(false),
        Err(problem) => return Err(problem),
    }
    let change = Change::create(booking.clone());
    if credits::short(tx, act, std::slice::from_ref(&change)).await?.is_some() {
        return Ok(false);
    }
    match Box::pin(write::apply(tx, act, &known.tree, &[change])).await? {
        Applied::Yes => {
            let entry = Entry { status: WaitlistStatus::Offered, booking_id: Some(booking.id), ..entry };
            save(tx, act, &entry).await?;
            Ok(true)
        }
        Applied::No(_) => Err(Problem::internal(&"a time that was free met a rival under its locks")),
    }
}

/// The hold that an entry would be offered.
#[must_use]
pub fn hold(entry: &Entry, known: &Known, now: Timestamp) -> Booking {
    let id = BookingId::mint();
    let resources =
        entry.resources.iter().filter_map(|one| Some(known.tree.get(&one.resource_id)?.booked(one.units)));
    Booking {
        id,
        reference: reference(id),
        version: 1,
        status: Status::Held,
        user_id: entry.user_id,
        created_by: entry.created_by,
        title: entry.title.clone(),
        slot: entry.slot,
        resources: resources.collect(),
        attendees: entry.attendees,
        priority: entry.priority,
        quote: None,
        terms: Terms::default(),
        expires_at: Some(now + OFFER),
        checked_in_at: None,
        released_at: None,
        guests: Vec::new(),
        flag: None,
        series: None,
        created_at: now,
        updated_at: now,
    }
}
