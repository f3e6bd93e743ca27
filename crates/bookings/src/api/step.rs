//! What the operations that write bookings have in common: runs of a transaction, what is known, refusals.

use std::collections::BTreeSet;
use std::time::Duration;

use garde::Validate;
use jiff::Timestamp;
use kernel::{BookingId, ResourceId, Slot, UserId};
use platform::auth::{Actor, outside_remit};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{IfMatch, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::BookingBody;
use super::learn::{find, learn};
use super::refusal::refuse;
use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::guest::{self, Guest};
use crate::policy::{Person, Verdict};
use crate::store::known::Known;
use crate::store::quotas;
use crate::store::resources::{self, Tree};
use crate::store::rules::Rulebook;
use crate::store::told::Told;
use crate::store::write::{self, Act, Change};
use crate::store::{blackouts, bookings};

/// Runs of a transaction at most, when PostgreSQL asks for another (SQLSTATE 40001, 40P01) or a rival was faster.
const RUNS: u32 = 5;
/// The pause after the first run; later ones are longer.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a transaction until it needs no other run, a bounded number of times.
///
/// # Errors
/// That of the last run; 503 when PostgreSQL asked for yet another.
pub async fn runs<T, F>(attempt: impl Fn() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    for run in 1..RUNS {
        match attempt().await {
            Err(problem) if problem.transient => tokio::time::sleep(PAUSE * run).await,
            result => return result,
        }
    }
    attempt().await.map_err(|problem| {
        if problem.transient && problem.status().is_server_error() {
            return Problem::unavailable(
                "busy",
                "Others are changing the same thing right now. Try again.",
                1,
            );
        }
        problem
    })
}

/// A body that may say why.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// Why, for the history and for the people it concerns: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500, example = "The customer asked for another day")]
    pub reason: Option<String>,
}

/// What the caller does now.
#[must_use]
pub fn act(app: &App, actor: &Actor) -> Act {
    Act { organization: actor.organization, origin: Origin::from(actor), now: app.context.clock.now() }
}

/// The booking for a step by the caller: locked, visible to them, and of the version they saw if they named one.
///
/// # Errors
/// 404, or 412 when it was changed meanwhile.
pub async fn begin(
    tx: &mut Tx,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
) -> Result<Booking, Problem> {
    let booking = bookings::for_change(tx, actor, id).await?;
    version.map_or(Ok(()), |version| version.check(booking.version))?;
    Ok(booking)
}

/// A step of a booking's life that asks for no other time or resource, in runs of its own transaction.
///
/// # Errors
/// 404, 412, and what the step itself refuses.
pub async fn step(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    reason: Option<&str>,
    step: impl Fn(Booking, Timestamp) -> Result<(Booking, Told), Error>,
) -> Result<Answer, Problem> {
    runs(async || {
        let act = act(app, actor);
        let mut tx = app.context.db.begin_planned(actor.organization).await?;
        let before = begin(&mut tx, actor, id, version).await?;
        let (after, told) = step(before.clone(), act.now)?;
        let answer = finish(&mut tx, &act, before, after, told, reason).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

/// Writes a step that asks for no other time or resource, and gives the answer.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    tx: &mut Tx,
    act: &Act,
    before: Booking,
    after: Booking,
    told: Told,
    reason: Option<&str>,
) -> Result<Answer, Problem> {
    let change = Change::step(before, after.clone(), told, reason.map(str::to_owned));
    write::step(tx, act, change).await?;
    Answer::ok(after.version, &BookingBody::from(after))
}

/// Locks resources and reads the rules. What is not known here is asked for, outside of the transaction, which then has
/// to run again.
///
/// # Errors
/// 422 naming resources that do not exist, people likewise; 503 when that cannot be found out for now.
pub async fn look(
    app: &App,
    actor: &Actor,
    mut tx: Tx,
    ids: &[ResourceId],
    owners: &[UserId],
) -> Result<(Tx, Known), Problem> {
    let tree = resources::lock(&mut tx, actor.organization, ids).await?;
    let users: BTreeSet<UserId> = owners.iter().copied().chain([actor.user]).collect();
    let users: Vec<UserId> = users.into_iter().collect();
    let book = Rulebook::load(&mut tx, actor.organization, &tree, &users).await?;
    let missing = resources::missing(&tree, ids);
    let strangers: Vec<UserId> = users.into_iter().filter(|user| book.person(*user).is_none()).collect();
    if missing.is_empty() && (strangers.is_empty() || strangers == [actor.user]) {
        // The token knows the role best, but not that the account was closed meanwhile.
        let person = Person { role: actor.role, remit: actor.remit.clone(), ..book.someone(actor.user) };
        if !person.active {
            return Err(Error::AccountClosed.into());
        }
        return Ok((tx, Known::new(tree, book, person)));
    }
    drop(tx);
    learn(app, actor, ids, &missing, &strangers).await?;
    Err(Problem::unavailable("service_unavailable", "Try again.", 1).or_run_again())
}

/// Refuses resources that are not there for the caller, in the words for those that are not there at all.
///
/// # Errors
/// 422 naming the first of them by its place.
pub fn demand_seen(known: &Known, ids: &[ResourceId], asked: &[ResourceId]) -> Result<(), Problem> {
    match ids.iter().find(|id| !known.sees(**id)) {
        Some(id) => {
            let place = asked.iter().position(|asked| asked == id).unwrap_or(0);
            Err(no_resource(place, "not_found", "There is no such resource."))
        }
        None => Ok(()),
    }
}

/// Refuses to act for somebody else whom the caller, a manager, does not manage, on resources that they do not manage either.
///
/// # Errors
/// 403 `outside_remit`.
pub fn demand_reach(known: &Known, actor: &Actor, owner: UserId, ids: &[ResourceId]) -> Result<(), Problem> {
    if owner == actor.user || known.is_managed(owner, ids) { Ok(()) } else { Err(outside_remit()) }
}

/// Refuses to book for somebody whose account is closed, named at a place of the request.
///
/// # Errors
/// 422 naming them.
pub fn demand_open_account(known: &Known, user: UserId, pointer: &str) -> Result<(), Problem> {
    if known.person(user).active {
        return Ok(());
    }
    Err(Problem::invalid_field(pointer, "account_closed", "Their account is closed."))
}

/// Refuses guests that are none.
///
/// # Errors
/// 422 naming the first by its place; 503 when it cannot be found out for now whether there is such a user.
pub async fn invite(app: &App, actor: &Actor, guests: &[Guest]) -> Result<(), Problem> {
    let refused =
        |place: usize, code, detail| Problem::invalid_field(&format!("/guests/{place}"), code, detail);
    guest::check(guests).map_err(|(place, code, detail)| refused(place, code, detail))?;
    let users: Vec<UserId> = guests.iter().filter_map(|guest| guest.user_id).collect();
    if users.is_empty() {
        return Ok(());
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    let book = Rulebook::load(&mut tx, actor.organization, &Tree::new(), &users).await?;
    drop(tx);
    for (place, guest) in guests.iter().enumerate() {
        let Some(user) = guest.user_id.filter(|user| book.person(*user).is_none()) else { continue };
        if !find(app, actor, user).await? {
            return Err(refused(place, "not_found", "There is no such user."));
        }
    }
    Ok(())
}

/// Refuses resources that cannot be booked now: retired, in maintenance, or with a part that is.
///
/// # Errors
/// 422 naming the first of them by its place.
pub fn demand_bookable(tree: &Tree, ids: &[ResourceId], asked: &[ResourceId]) -> Result<(), Problem> {
    match ids.iter().find(|id| !resources::is_bookable(tree, **id)) {
        Some(id) => {
            let place = asked.iter().position(|asked| asked == id).unwrap_or(0);
            Err(no_resource(place, "not_bookable", "The resource cannot be booked."))
        }
        None => Ok(()),
    }
}

/// Why somebody has to look at a booking after it came to another time or place: where it comes to it fits, unless what
/// it keeps is no longer to be booked, or it only gives up some of a time that is closed.
#[must_use]
pub fn flag_after(tree: &Tree, before: &Booking, after: &Booking) -> Option<String> {
    let ids: Vec<ResourceId> = after.resources.iter().map(|one| one.resource_id).collect();
    let stays = after.slot.within(&before.slot) == Some(after.slot) && after.wanted() == before.wanted();
    let is_kept = |flag: &String| {
        demand_bookable(tree, &ids, &ids).is_err() || (stays && flag.starts_with(blackouts::CLOSED))
    };
    before.flag.clone().filter(is_kept)
}

pub(super) fn no_resource(place: usize, code: &str, detail: &str) -> Problem {
    Problem::invalid_field(&format!("/resources/{place}/resource_id"), code, detail)
}

/// A booking under the terms that the rules give it.
///
/// # Errors
/// 422 with every rule that it breaks, its rivals, and what is free instead.
pub async fn judge(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    booking: Booking,
    before: Option<Slot>,
) -> Result<Booking, Problem> {
    let act = act(app, actor);
    let mut verdict = known.verdict(&booking, before, act.now);
    let mut broken = std::mem::take(&mut verdict.broken);
    let quotas = std::mem::take(&mut verdict.quotas);
    let booking = agreed(app, booking, verdict, act.now);
    broken.extend(quotas::overdrawn(tx, actor.organization, &quotas, &booking, act.now).await?);
    if !broken.is_empty() {
        let rivals = write::rivals(tx, &act, &known.tree, &booking).await?;
        return Err(refuse(tx, app, actor, known, &booking, broken, &rivals).await?);
    }
    Ok(booking)
}

/// A booking under the terms that a verdict gives it, with its reminders.
#[must_use]
pub fn agreed(app: &App, booking: Booking, verdict: Verdict, now: Timestamp) -> Booking {
    let mut terms = verdict.terms;
    let starts_in = booking.slot.starts_at().duration_since(now);
    terms.reminders = app.config.reminder_minutes.clone();
    terms.reminders.retain(|before| crate::rules::minutes(*before) < starts_in);
    terms.reminders.sort_unstable_by(|a, b| b.cmp(a));
    Booking { quote: verdict.quote, priority: verdict.priority, terms, ..booking }
}
