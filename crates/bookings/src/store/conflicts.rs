//! How conflicts ended: refused, and what was done instead; bookings that no longer fit; what managers made of it.

use contracts::bookings as wire;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, ConflictId, OrganizationId, ResourceId, Slot, UserId, WaitlistEntryId};
use platform::db::Tx;
use platform::events;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::alternatives::Alternative;
use super::write::Act;
use crate::booking::{Booking, Wanted};
use crate::waiting::Entry;

/// How a conflict ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ConflictOutcome)]
pub enum Outcome {
    /// Who asked was refused, and has done nothing since that names the refusal.
    Refused,
    /// They booked one of the alternatives that they were offered.
    AlternativeTaken,
    /// They booked something else instead.
    BookedOtherwise,
    /// They wait for it.
    Waitlisted,
    /// A booking of higher priority took the place of this one.
    Preempted,
    /// A booking no longer fits its resource, and somebody has to look at it.
    Overlap,
    /// A manager dealt with it, or it no longer stands.
    Resolved,
}

impl Outcome {
    /// Its name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::AlternativeTaken => "alternative_taken",
            Self::BookedOtherwise => "booked_otherwise",
            Self::Waitlisted => "waitlisted",
            Self::Preempted => "preempted",
            Self::Overlap => "overlap",
            Self::Resolved => "resolved",
        }
    }

    /// Whether somebody may still deal with it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Refused | Self::Preempted | Self::Overlap)
    }
}

/// What was asked for, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What was wanted, or is booked.
    pub resources: Vec<Wanted>,
    /// The rules that were broken.
    pub broken: Value,
    /// The rivals.
    pub conflicts: Vec<Value>,
    /// What was offered instead.
    pub alternatives: Vec<Alternative>,
}

/// A refusal, to be written down once all that was asked for is undone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    /// Whose it was to be.
    pub user_id: UserId,
    /// The booking, which may never have come to be.
    pub booking_id: BookingId,
    /// When it was to be.
    pub slot: Slot,
    /// What, and why not.
    pub detail: Detail,
}

/// A conflict and how it ended.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose booking it was to be, or is.
    pub user_id: UserId,
    /// Who asked.
    pub actor_id: Option<UserId>,
    /// The booking it is about, or that was made instead.
    pub booking_id: Option<BookingId>,
    /// The place in the waitlist that was taken instead.
    pub waitlist_entry_id: Option<WaitlistEntryId>,
    /// When it was to be, or is.
    pub slot: Slot,
    /// What, and why not.
    pub detail: Detail,
    /// Why a booking no longer fits.
    pub reason: Option<String>,
    /// What the manager who dealt with it says.
    pub note: Option<String>,
    /// Who dealt with it.
    pub resolved_by: Option<UserId>,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// The request that met it.
    pub correlation_id: String,
    /// When it was met.
    pub created_at: Timestamp,
}

/// Writes a refusal down.
///
/// # Errors
/// When the database fails.
pub async fn refused(tx: &mut Tx, act: &Act, refused: &Refused) -> Result<ConflictId, Problem> {
    insert(tx, act, Outcome::Refused, refused, None).await
}

/// Writes down that a booking no longer fits.
///
/// # Errors
/// When the database fails.
pub async fn overlap(tx: &mut Tx, act: &Act, booking: &Booking, reason: &str) -> Result<ConflictId, Problem> {
    let detail = Detail {
        resources: booking.wanted(),
        broken: Value::Array(Vec::new()),
        conflicts: Vec::new(),
        alternatives: Vec::new(),
    };
    let about = Refused { user_id: booking.user_id, booking_id: booking.id, slot: booking.slot, detail };
    insert(tx, act, Outcome::Overlap, &about, Some(reason)).await
}

/// Writes down that a booking lost its place to one of higher priority, and tells of it.
///
/// # Errors
/// When the database fails.
pub async fn preempted(
    tx: &mut Tx,
    act: &Act,
    loser: &Booking,
    rival: Value,
    alternatives: Vec<Alternative>,
) -> Result<(), Problem> {
    let told = alternatives.iter().map(|one| wire::Alternative {
        resource_ids: one.resources.iter().map(|offered| offered.resource_id).collect(),
        starts_at: one.starts_at,
        ends_at: one.ends_at,
    });
    let told = told.collect();
    let broken = Value::Array(Vec::new());
    let detail = Detail { resources: loser.wanted(), broken, conflicts: vec![rival], alternatives };
    let about = Refused { user_id: loser.user_id, booking_id: loser.id, slot: loser.slot, detail };
    let id = insert(tx, act, Outcome::Preempted, &about, None).await?;
    let conflict = wire::Conflict {
        id,
        outcome: Outcome::Preempted.name().to_owned(),
        user_id: loser.user_id,
        booking_id: Some(loser.id),
        slot: loser.slot,
    };
    let event = wire::ConflictPreempted { conflict, alternatives: told };
    events::append(tx, act.organization, &act.origin, &event, act.now).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    act: &Act,
    outcome: Outcome,
    about: &Refused,
    reason: Option<&str>,
) -> Result<ConflictId, Problem> {
    let id = ConflictId::mint();
    let resources: Vec<Uuid> = about.detail.resources.iter().map(|one| one.resource_id.0).collect();
    // A booking that was refused at its birth is not there to be named.
    sqlx::query!(
        "insert into bookings.conflict_resolution (organization_id, id, outcome, user_id, actor_id, booking_id, resource_ids,
             starts_at, ends_at, detail, reason, correlation_id, created_at)
         values ($1, $2, $3, $4, $5, (select id from bookings.booking where organization_id = $1 and id = $6), $7,
                 $8, $9, $10, $11, $12, $13)",
        act.organization.0,
        id.0,
        outcome.name(),
        about.user_id.0,
        act.origin.actor.map(|user| user.0),
        about.booking_id.0,
        &resources,
        about.slot.starts_at().to_sqlx(),
        about.slot.ends_at().to_sqlx(),
        Json(&about.detail) as Json<&Detail>,
        reason,
        act.origin.correlation.id,
        act.now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// A booking was made or moved after a refusal that its maker names.
///
/// # Errors
/// 422 when there is no such refusal of theirs, or something was done instead already.
pub async fn booked(
    tx: &mut Tx,
    act: &Act,
    id: Option<ConflictId>,
    booking: &Booking,
) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let conflict = own(tx, act, id).await?;
    let resources: Vec<ResourceId> = booking.resources.iter().map(|one| one.resource_id).collect();
    let was_offered = conflict.detail.alternatives.iter().any(|one| {
        one.starts_at == booking.slot.starts_at()
            && one.ends_at == booking.slot.ends_at()
            && one.resources.iter().map(|offered| offered.resource_id).eq(resources.iter().copied())
    });
    let outcome = if was_offered { Outcome::AlternativeTaken } else { Outcome::BookedOtherwise };
    let after = Conflict { outcome, booking_id: Some(booking.id), ..conflict };
    save(tx, act, after, None).await.map(drop)
}

/// Somebody waits after a refusal that they name.
///
/// # Errors
/// 422 when there is no such refusal of theirs, or something was done instead already.
pub async fn waits(tx: &mut Tx, act: &Act, id: Option<ConflictId>, entry: &Entry) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let conflict = own(tx, act, id).await?;
    let after = Conflict { outcome: Outcome::Waitlisted, waitlist_entry_id: Some(entry.id), ..conflict };
    save(tx, act, after, None).await.map(drop)
}

/// The caller's refusal of that id, which nothing has followed yet.
async fn own(tx: &mut Tx, act: &Act, id: ConflictId) -> Result<Conflict, Problem> {
    let conflict = find(tx, act.organization, id).await?;
    let conflict = conflict.filter(|conflict| {
        let people = [Some(conflict.user_id), conflict.actor_id];
        conflict.outcome == Outcome::Refused && people.contains(&act.origin.actor)
    });
    let detail = "There is no such refusal of yours that is still open.";
    conflict.ok_or_else(|| Problem::invalid_field("/conflict_id", "not_found", detail))
}

/// Saves how a conflict ended.
///
/// # Errors
/// When the database fails.
pub async fn save(
    tx: &mut Tx,
    act: &Act,
    conflict: Conflict,
    note: Option<&str>,
) -> Result<Conflict, Problem> {
    sqlx::query!(
        "update bookings.conflict_resolution set outcome = $3, booking_id = $4, waitlist_entry_id = $5, note = $6,
             resolved_by = $7, resolved_at = $8
         where organization_id = $1 and id = $2",
        act.organization.0,
        conflict.id.0,
        conflict.outcome.name(),
        conflict.booking_id.map(|id| id.0),
        conflict.waitlist_entry_id.map(|id| id.0),
        note,
        act.origin.actor.map(|user| user.0),
        act.now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let told = wire::ConflictResolved {
        conflict: wire::Conflict {
            id: conflict.id,
            outcome: conflict.outcome.name().to_owned(),
            user_id: conflict.user_id,
            booking_id: conflict.booking_id,
            slot: conflict.slot,
        },
    };
    events::append(tx, act.organization, &act.origin, &told, act.now).await?;
    let (resolved_by, resolved_at) = (act.origin.actor, Some(act.now));
    Ok(Conflict { note: note.map(str::to_owned), resolved_by, resolved_at, ..conflict })
}

/// A booking that no longer fitted does, was given up, or is over: nobody has to look at it any more.
///
/// # Errors
/// When the database fails.
pub(super) async fn close(tx: &mut Tx, act: &Act, booking: BookingId) -> Result<(), Problem> {
    sqlx::query!(
        "update bookings.conflict_resolution set outcome = 'resolved', resolved_by = $3, resolved_at = $4
         where organization_id = $1 and booking_id = $2 and outcome = 'overlap'",
        act.organization.0,
        booking.0,
        act.origin.actor.map(|user| user.0),
        act.now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a manager has looked at just this about a booking and let it be.
///
/// # Errors
/// When the database fails.
pub async fn is_accepted(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: BookingId,
    reason: &str,
) -> Result<bool, Problem> {
    let accepted = sqlx::query_scalar!(
        r#"select exists (select from bookings.conflict_resolution
                          where organization_id = $1 and booking_id = $2 and outcome = 'resolved' and reason = $3
                            and note is not null) as "accepted!""#,
        organization.0,
        booking.0,
        reason,
    );
    Ok(accepted.fetch_one(&mut **tx).await?)
}

/// The conflict with an id, locked.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    id: ConflictId,
) -> Result<Option<Conflict>, Problem> {
    let locked = sqlx::query!(
        "select id from bookings.conflict_resolution where organization_id = $1 and id = $2 for update",
        organization.0,
        id.0,
    );
    if locked.fetch_optional(&mut **tx).await?.is_none() {
        return Ok(None);
    }
    Ok(many(tx, organization, &[id.0]).await?.pop())
}

/// The conflicts with these ids, newest first.
///
/// # Errors
/// When the database fails.
pub async fn many(tx: &mut Tx, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<Conflict>, Problem> {
    let rows = sqlx::query!(
        r#"select id, outcome as "outcome: Outcome", user_id, actor_id, booking_id, waitlist_entry_id, starts_at, ends_at,
                  detail as "detail: Json<Detail>", reason, note, resolved_by, resolved_at, correlation_id, created_at
           from bookings.conflict_resolution where organization_id = $1 and id = any($2)
           order by created_at desc, id desc"#,
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let slot = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff());
            Ok(Conflict {
                id: ConflictId(row.id),
                outcome: row.outcome,
                user_id: UserId(row.user_id),
                actor_id: row.actor_id.map(UserId),
                booking_id: row.booking_id.map(BookingId),
                waitlist_entry_id: row.waitlist_entry_id.map(WaitlistEntryId),
                slot: slot.map_err(|error| Problem::internal(&error))?,
                detail: row.detail.0,
                reason: row.reason,
                note: row.note,
                resolved_by: row.resolved_by.map(UserId),
                resolved_at: row.resolved_at.map(jiff_sqlx::Timestamp::to_jiff),
                correlation_id: row.correlation_id,
                created_at: row.created_at.to_jiff(),
            })
        })
        .collect()
}
