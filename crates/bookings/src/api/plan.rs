//! The occurrences of a series under the rules and beside what others have: all judged in one look, before anything is
//! written.

use jiff::Timestamp;
use kernel::{BookingId, Slot};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::refusal::{aside, bookings_of, named};
use super::series::OnConflict;
use super::step::{self, agreed};
use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::policy::Broken;
use crate::recurrence::{Local, Note, Occurrence};
use crate::rules::{ScopedQuota, minutes};
use crate::store::alternatives::{self, Alternative, AlternativeKind};
use crate::store::claims::{Rival, Rivals};
use crate::store::known::Known;
use crate::store::quotas::Ledger;
use crate::store::write;

/// Occurrences of one answer that get alternatives.
const WITH_ALTERNATIVES: usize = 10;
/// Rivals of all occurrences that are written down at most.
const MOST_RECORDED: usize = 100;
/// Occurrences of one series that are moved at most.
const MOST_MOVED: usize = 60;

/// An occurrence and the booking that it would be.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// The booking.
    pub booking: Booking,
}

/// What becomes of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OccurrenceOutcome)]
pub enum Outcome {
    /// It is booked as it was asked for.
    Booked,
    /// It is booked at another time.
    Moved,
    /// It is left out.
    Skipped,
    /// It is in the way of the whole series.
    Refused,
}

/// An occurrence, and what becomes of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeriesOccurrence)]
pub struct Planned {
    /// The start that the series gives it, by the clock of its zone: its name within the series.
    pub occurrence: Local,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// What a change of clocks did to it.
    pub note: Option<Note>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Its booking.
    pub booking_id: Option<BookingId>,
    /// The rules that it would break.
    pub broken: Vec<Broken>,
    /// What is in its way.
    #[schema(value_type = Vec<Object>)]
    pub conflicts: Value,
    /// What is free instead, best first: of the first ten occurrences that cannot be booked.
    pub alternatives: Vec<Alternative>,
    #[serde(skip)]
    booking: Booking,
    #[serde(skip)]
    rivals: Vec<Rival>,
}

impl Planned {
    /// Its booking, if it is to have one.
    #[must_use]
    pub fn booking(&self) -> Option<&Booking> {
        matches!(self.outcome, Outcome::Booked | Outcome::Moved).then_some(&self.booking)
    }

    fn of(draft: Draft) -> Self {
        let (occurrence, booking) = (draft.occurrence, draft.booking);
        Self {
            occurrence: occurrence.local,
            starts_at: booking.slot.starts_at(),
            ends_at: booking.slot.ends_at(),
            note: occurrence.note,
            outcome: Outcome::Booked,
            booking_id: None,
            broken: Vec::new(),
            conflicts: Value::Array(Vec::new()),
            alternatives: Vec::new(),
            booking,
            rivals: Vec::new(),
        }
    }

    fn move_to(&mut self, booking: Booking) {
        (self.starts_at, self.ends_at) = (booking.slot.starts_at(), booking.slot.ends_at());
        self.outcome = Outcome::Moved;
        self.booking = booking;
    }
}

/// What the plans of one request share.
#[derive(Debug)]
pub struct Planner<'a> {
    tx: &'a mut Tx,
    app: &'a App,
    actor: &'a Actor,
    known: &'a Known,
    ledger: Ledger,
    now: Timestamp,
}

/// What becomes of each occurrence, in their order.
///
/// # Errors
/// 422 when a resource does not have that many units; otherwise when the database fails.
pub async fn plan(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    drafts: Vec<Draft>,
    on_conflict: OnConflict,
) -> Result<Vec<Planned>, Problem> {
    let act = step::act(app, actor);
    let mut planner = Planner::new(tx, app, actor, known, Ledger::without(&[]));
    let mut planned: Vec<Planned> = drafts.into_iter().map(Planned::of).collect();
    let quotas = planner.judge(&mut planned).await?;
    let bookings: Vec<&Booking> = planned.iter().map(|one| &one.booking).collect();
    let rivals = write::rivals_of(planner.tx, &act, &known.tree, &bookings).await?;
    let refused = if on_conflict == OnConflict::Skip { Outcome::Skipped } else { Outcome::Refused };
    for (place, one) in planned.iter_mut().enumerate() {
        if one.broken.is_empty() && !rivals.contains_key(&place) {
            one.broken = planner.ledger.overdrawn(&quotas, &one.booking);
            if one.broken.is_empty() {
                planner.ledger.add(&quotas, &one.booking);
                continue;
            }
        }
        one.outcome = refused;
    }
    planner.explain(&mut planned, &rivals).await?;
    if on_conflict == OnConflict::Move {
        planner.relocate(&mut planned).await?;
    }
    for one in &mut planned {
        one.booking_id = one.booking().map(|booking| booking.id);
    }
    Ok(planned)
}

impl<'a> Planner<'a> {
    /// One that counts quotas in this ledger.
    #[must_use]
    pub fn new(tx: &'a mut Tx, app: &'a App, actor: &'a Actor, known: &'a Known, ledger: Ledger) -> Self {
        Self { tx, app, actor, known, ledger, now: app.context.clock.now() }
    }

    /// Bookings that change, each under the terms that it would have; the ledger counts none of them before. One that keeps
    /// its time and place is not judged by today's rules: it stands already.
    ///
    /// # Errors
    /// 422 naming each occurrence that the rules do not allow.
    pub async fn judge_changes(
        &mut self,
        before: &[Booking],
        drafts: Vec<Draft>,
    ) -> Result<Vec<Booking>, Problem> {
        let mut planned: Vec<Planned> = drafts.into_iter().map(Planned::of).collect();
        let mut quotas = Vec::new();
        for (one, before) in planned.iter_mut().zip(before) {
            let mut verdict = self.known.verdict(&one.booking, Some(before.slot), self.now);
            if is_same_place(&one.booking, before) {
                quotas.push(verdict.quotas);
                continue;
            }
            one.broken = std::mem::take(&mut verdict.broken);
            quotas.push(std::mem::take(&mut verdict.quotas));
            one.booking = agreed(self.app, one.booking.clone(), verdict, self.now);
        }
        for ((one, before), quotas) in planned.iter_mut().zip(before).zip(&quotas) {
            self.ledger.read(self.tx, self.actor.organization, quotas, &[&one.booking], self.now).await?;
            if !is_same_place(&one.booking, before) {
                one.broken.extend(self.ledger.overdrawn(quotas, &one.booking));
            }
            self.ledger.add(quotas, &one.booking);
            if !one.broken.is_empty() {
                one.outcome = Outcome::Refused;
            }
        }
        if planned.iter().any(|one| one.outcome == Outcome::Refused) {
            self.explain(&mut planned, &Rivals::new()).await?;
            return Err(refusal(&planned)?);
        }
        Ok(planned.into_iter().map(|one| one.booking).collect())
    }

    /// The rules over each, and the quotas of all, read once.
    async fn judge(&mut self, planned: &mut [Planned]) -> Result<Vec<ScopedQuota>, Problem> {
        let mut quotas = Vec::new();
        for one in &mut *planned {
            (one.broken, quotas) = self.agree(&mut one.booking);
        }
        let bookings: Vec<&Booking> = planned.iter().map(|one| &one.booking).collect();
        let organization = self.actor.organization;
        self.ledger.read(self.tx, organization, &quotas, &bookings, self.now).await?;
        Ok(quotas)
    }

    /// What a booking breaks of the rules, those for series among them; it is under their terms then.
    fn agree(&self, booking: &mut Booking) -> (Vec<Broken>, Vec<ScopedQuota>) {
        let mut verdict = self.known.verdict(booking, None, self.now);
        let mut broken = std::mem::take(&mut verdict.broken);
        let quotas = std::mem::take(&mut verdict.quotas);
        broken.extend(self.too_far(&booking.slot, booking));
        let agreed = agreed(self.app, booking.clone(), verdict, self.now);
        *booking = Booking { status: agreed.asked_for(), ..agreed };
        (broken, quotas)
    }

    fn too_far(&self, slot: &Slot, booking: &Booking) -> Vec<Broken> {
        let items = self.known.items(booking, &self.known.person(booking.user_id));
        let ahead = slot.ends_at().duration_since(self.now);
        let broken = items.iter().filter_map(|item| {
            let most = item.rules.recurrence.horizon_minutes?;
            let detail = format!("A series may reach {} days ahead at most.", most / (24 * 60));
            (ahead > minutes(most)).then_some(Broken {
                rule: "recurrence_horizon",
                detail,
                resource_id: Some(item.resource_id),
            })
        });
        broken.collect()
    }

    /// Names what is in the way of those that cannot be booked, and for the first of them what is free instead.
    async fn explain(&mut self, planned: &mut [Planned], rivals: &Rivals) -> Result<(), Problem> {
        let theirs = bookings_of(self.tx, self.actor, rivals.values().flatten()).await?;
        let empty: Vec<Rival> = Vec::new();
        let bad = planned.iter_mut().enumerate().filter(|(_, one)| one.booking().is_none());
        for (number, (place, one)) in bad.enumerate() {
            let in_its_way = rivals.get(&place).unwrap_or(&empty);
            one.conflicts = named(self.known, in_its_way, &theirs);
            one.rivals = in_its_way.to_vec();
            if number < WITH_ALTERNATIVES {
                one.alternatives = self.alternatives(&one.booking).await?;
            }
        }
        Ok(())
    }

    async fn alternatives(&mut self, booking: &Booking) -> Result<Vec<Alternative>, Problem> {
        alternatives::find(self.tx, self.actor.organization, self.known, booking, self.now).await
    }

    /// Gives those that cannot be booked the nearest other time that is free beside all the others of the series.
    async fn relocate(&mut self, planned: &mut [Planned]) -> Result<(), Problem> {
        let mut taken: Vec<Slot> = planned.iter().filter_map(Planned::booking).map(whole).collect();
        let bad = planned.iter_mut().filter(|one| one.booking().is_none()).take(MOST_MOVED);
        for (number, one) in bad.enumerate() {
            let found = if number < WITH_ALTERNATIVES {
                one.alternatives.clone()
            } else {
                self.alternatives(&one.booking).await?
            };
            let times = found.iter().filter(|one| one.kind == AlternativeKind::OtherTime);
            let slots = times.filter_map(|time| Slot::new(time.starts_at, time.ends_at).ok());
            for slot in slots {
                let mut booking = Booking { slot, ..one.booking.clone() };
                let (mut broken, quotas) = self.agree(&mut booking);
                let organization = self.actor.organization;
                self.ledger.read(self.tx, organization, &quotas, &[&booking], self.now).await?;
                broken.extend(self.ledger.overdrawn(&quotas, &booking));
                let place = whole(&booking);
                if broken.is_empty() && !taken.iter().any(|other| other.overlaps(&place)) {
                    self.ledger.add(&quotas, &booking);
                    taken.push(place);
                    one.move_to(booking);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Whether a booking keeps its time and what it takes.
fn is_same_place(booking: &Booking, before: &Booking) -> bool {
    booking.slot == before.slot && booking.wanted() == before.wanted()
}

/// All that a booking takes, buffers included.
fn whole(booking: &Booking) -> Slot {
    booking.takes().iter().fold(booking.slot, |hull, taken| hull.hull(&taken.slot))
}

/// Refuses a series with more occurrences than the rules allow.
///
/// # Errors
/// 422 naming the rule.
pub fn demand_few(known: &Known, first: &Booking, count: usize) -> Result<(), Problem> {
    let items = known.items(first, &known.person(first.user_id));
    let broken = items.iter().filter_map(|item| {
        let most = item.rules.recurrence.max_occurrences?;
        let detail = format!("A series may have {most} occurrences at most.");
        (count > usize::try_from(most).unwrap_or(usize::MAX)).then_some(Broken {
            rule: "max_occurrences",
            detail,
            resource_id: Some(item.resource_id),
        })
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::SeriesRefused { broken, occurrences: Value::Array(Vec::new()) }.into())
}

/// The problem that names the occurrences that cannot be booked: with every rule that they break, or else their rivals.
/// Where there are rivals, it is written down once, about the first occurrence that they are in the way of.
///
/// # Errors
/// 500 when they cannot be written as JSON.
pub fn refusal(planned: &[Planned]) -> Result<Problem, Problem> {
    let bad: Vec<&Planned> = planned.iter().filter(|one| one.booking().is_none()).collect();
    let mut broken: Vec<Broken> = Vec::new();
    for one in bad.iter().flat_map(|one| &one.broken) {
        if !broken.contains(one) {
            broken.push(one.clone());
        }
    }
    let rivals: Vec<&Rival> = bad.iter().flat_map(|one| &one.rivals).collect();
    let first = bad.iter().find(|one| !one.rivals.is_empty());
    let aside = first.map(|first| {
        aside(&first.booking, &broken, rivals.into_iter().take(MOST_RECORDED), first.alternatives.clone())
    });
    let occurrences = serde_json::to_value(&bad).map_err(|error| Problem::internal(&error))?;
    let mut problem: Problem = if broken.is_empty() {
        Error::SeriesConflict { occurrences }.into()
    } else {
        Error::SeriesRefused { broken, occurrences }.into()
    };
    problem.aside = aside.transpose()?;
    Ok(problem)
}

/// The same for bookings that were to be written and met rivals then, by their place.
///
/// # Errors
/// When the database fails.
pub async fn refuse(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    drafts: Vec<Draft>,
    rivals: &Rivals,
) -> Result<Problem, Problem> {
    let mut planner = Planner::new(tx, app, actor, known, Ledger::without(&[]));
    let mut planned: Vec<Planned> = drafts.into_iter().map(Planned::of).collect();
    for (place, one) in planned.iter_mut().enumerate() {
        if rivals.contains_key(&place) {
            one.outcome = Outcome::Refused;
        }
    }
    planner.explain(&mut planned, rivals).await?;
    refusal(&planned)
}
