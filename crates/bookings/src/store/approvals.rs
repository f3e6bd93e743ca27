//! Decisions on requests: who may decide, for whom, and what was decided.

use contracts::rules::Who;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsApprove;
use kernel::{BookingId, OrganizationId, Permission as _, Role, UserId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::{IfMatch, Problem};
use uuid::Uuid;

use super::bookings::{self, Lock};
use super::reach;
use super::resources::Tree;
use super::rules::Rulebook;
use super::write::Act;
use crate::booking::{Booking, Status};
use crate::error::Error;
use crate::policy::Person;

/// Requests that one approval may leave no room for, at most.
const MOST_RIVALS: i64 = 200;
/// Approvers who are named in an event at most.
const MOST_TOLD: i64 = 50;

/// The request for a decision by the caller, locked.
///
/// # Errors
/// 404 for those who may neither see it nor decide on it; 403 for those who only see it; 412 when it was changed.
pub async fn begin(
    tx: &mut Tx,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    now: Timestamp,
) -> Result<Booking, Problem> {
    let booking = bookings::load(tx, actor.organization, id, Lock::ForUpdate).await?;
    let booking = booking.ok_or_else(|| Problem::not_found("booking"))?;
    let people = people(tx, actor, now).await?;
    let decides = !voices(tx, &people, actor, &booking).await?.is_empty();
    if !decides && !bookings::is_open_to(tx, &booking, actor).await? {
        return Err(Problem::not_found("booking"));
    }
    version.map_or(Ok(()), |version| version.check(booking.version))?;
    if booking.status == Status::Pending && !decides {
        return Err(Error::NotAnApprover.into());
    }
    Ok(booking)
}

/// Those for whom the caller may decide on the step that is being decided: themselves, and who delegated to them.
/// Nobody decides on a request of their own.
///
/// # Errors
/// When the database fails.
pub async fn voices(
    tx: &mut Tx,
    people: &[Person],
    actor: &Actor,
    booking: &Booking,
) -> Result<Vec<UserId>, Problem> {
    let asking = booking.terms.approval.as_ref().filter(|_| booking.status == Status::Pending);
    let Some((step, asking)) = asking.and_then(|asking| Some((asking.current()?, asking))) else {
        return Ok(Vec::new());
    };
    // Who made it asked for it, even when it is somebody else's by now.
    let own = [booking.user_id, booking.created_by];
    let others = people.iter().filter(|person| !own.contains(&person.id) && !own.contains(&actor.user));
    let mut voices = Vec::new();
    for person in others {
        let resources = booking.resources.iter().map(|one| one.resource_id);
        let manages = match &person.remit {
            Some(remit) => {
                reach::is_within(tx, actor.organization, remit, booking.user_id, resources).await?
            }
            None => true,
        };
        if person.decides(step, asking.escalated, manages) {
            voices.push(person.id);
        }
    }
    Ok(voices)
}

/// Who may decide on a request now, themselves: 50 at most. Nobody when it is none.
///
/// # Errors
/// When the database fails.
pub async fn deciders(tx: &mut Tx, act: &Act, booking: &Booking) -> Result<Vec<UserId>, Problem> {
    let asking = booking.terms.approval.as_ref().filter(|_| booking.status == Status::Pending);
    let Some((step, asking)) = asking.and_then(|asking| Some((asking.current()?, asking))) else {
        return Ok(Vec::new());
    };
    let named: Vec<&Who> =
        std::iter::once(&step.approvers).chain(asking.escalated.then_some(&step.escalate_to)).collect();
    let least = |who: &Who| if *who == Who::default() { Some(BookingsApprove::LEAST) } else { who.role };
    let role = named.iter().filter_map(|who| least(who)).min();
    let roles: Vec<String> = [Role::User, Role::Manager, Role::Admin]
        .into_iter()
        .filter(|is| role.is_some_and(|least| *is >= least))
        .filter_map(|role| Some(serde_json::to_value(role).ok()?.as_str()?.to_owned()))
        .collect();
    let users: Vec<Uuid> = named.iter().flat_map(|who| &who.users).map(|user| user.0).collect();
    let groups: Vec<Uuid> = named.iter().flat_map(|who| &who.groups).map(|group| group.0).collect();
    let resources: Vec<Uuid> = booking.resources.iter().map(|one| one.resource_id.0).collect();
    let ids = sqlx::query_scalar!(
        "select id from bookings.account a
         where organization_id = $1 and active and id <> $2 and id <> $3
           and (id = any($4)
                or exists (select from bookings.membership m
                           where m.organization_id = $1 and m.user_id = a.id and m.group_id = any($5))
                or (role = any($6) and (remit is null or bookings.is_within($1, $2, $7,
                    array(select jsonb_array_elements_text(remit -> 'locations')::uuid),
                    array(select jsonb_array_elements_text(remit -> 'groups')::uuid)))))
         order by id limit $8",
        act.organization.0,
        booking.user_id.0,
        booking.created_by.0,
        &users,
        &groups,
        &roles,
        &resources,
        MOST_TOLD,
    );
    Ok(ids.fetch_all(&mut **tx).await?.into_iter().map(UserId).collect())
}

/// The caller first, then those who delegated to them.
///
/// # Errors
/// When the database fails.
pub async fn people(tx: &mut Tx, actor: &Actor, now: Timestamp) -> Result<Vec<Person>, Problem> {
    let delegators = sqlx::query_scalar!(
        "select distinct user_id from bookings.delegation
         where organization_id = $1 and delegate_id = $2 and starts_at <= $3 and ends_at > $3",
        actor.organization.0,
        actor.user.0,
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let users: Vec<UserId> = std::iter::once(actor.user).chain(delegators.into_iter().map(UserId)).collect();
    let book = Rulebook::load(tx, actor.organization, &Tree::new(), &users).await?;
    let caller = Person { role: actor.role, remit: actor.remit.clone(), ..book.someone(actor.user) };
    let others = users.iter().skip(1).filter_map(|user| book.person(*user).cloned());
    Ok(std::iter::once(caller).chain(others).collect())
}

/// Keeps the caller's decision, and tells how many approvals the step has in this round.
///
/// # Errors
/// 409 when all that the caller can say has been said.
pub async fn decide(
    tx: &mut Tx,
    actor: &Actor,
    booking: &Booking,
    approved: bool,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<u32, Problem> {
    let Some(asking) = &booking.terms.approval else { return Ok(0) };
    let step = i32::try_from(asking.step).unwrap_or(i32::MAX);
    let given: Vec<(Uuid, bool)> = sqlx::query!(
        "select approver_id, approved from bookings.decision
         where organization_id = $1 and booking_id = $2 and round = $3 and step = $4",
        actor.organization.0,
        booking.id.0,
        asking.round,
        step,
    )
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .map(|row| (row.approver_id, row.approved))
    .collect();
    let people = people(tx, actor, now).await?;
    let voices = voices(tx, &people, actor, booking).await?;
    // A delegate who may decide as well has two voices, but each counts once.
    let voice = voices.into_iter().find(|voice| given.iter().all(|(approver, _)| *approver != voice.0));
    let Some(voice) = voice else {
        return if booking.status == Status::Pending { Err(Error::AlreadyDecided.into()) } else { Ok(0) };
    };
    sqlx::query!(
        "insert into bookings.decision (organization_id, booking_id, round, step, approver_id, given_by, approved, reason,
                                        created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        actor.organization.0,
        booking.id.0,
        asking.round,
        step,
        voice.0,
        actor.user.0,
        approved,
        reason,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let approvals = given.iter().filter(|(_, approved)| *approved).count() + usize::from(approved);
    Ok(u32::try_from(approvals).unwrap_or(u32::MAX))
}

/// Requests that block nobody and want a resource of a booking, or a part or a whole of it, at its time; locked. Of other
/// resources none, lest approvals there wait for this one. The tree has the booking's resources with their parts.
///
/// # Errors
/// When the database fails.
pub async fn rivals(
    tx: &mut Tx,
    organization: OrganizationId,
    tree: &Tree,
    winner: &Booking,
) -> Result<Vec<Booking>, Problem> {
    let nodes: Vec<Uuid> = tree.keys().map(|id| id.0).collect();
    let ids = sqlx::query_scalar!(
        "with recursive family as (
             select unnest($6::uuid[]) as id
             union
             select whole.id from bookings.resource whole
             join family on whole.organization_id = $1 and family.id = any(whole.parts)
         )
         select id from bookings.booking b
         where organization_id = $1 and status = 'pending' and id <> $2 and starts_at < $4 and ends_at > $3
           and exists (select from bookings.booking_resource r
                       where r.organization_id = $1 and r.booking_id = b.id
                         and r.resource_id = any(array(select id from family)))
         order by id limit $5 for update of b",
        organization.0,
        winner.id.0,
        winner.slot.starts_at().to_sqlx(),
        winner.slot.ends_at().to_sqlx(),
        MOST_RIVALS,
        &nodes,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut bookings = bookings::many(tx, organization, &ids).await?;
    bookings.retain(|booking| !booking.terms.blocks);
    Ok(bookings)
}
