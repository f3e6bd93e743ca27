//! What may be booked: the rules, evaluated purely, every broken one told at once.

use std::collections::BTreeSet;

use contracts::rules::{ApprovalStep, PayWith, Who};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::role::BookingsApprove;
use kernel::{GroupId, LocationId, Money, Remit, ResourceId, Role, Slot, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::quote::{Priced, Quote};
use crate::rules::{Buffers, Rules, ScopedQuota, minutes};
use crate::schedule;
use crate::terms::{Asking, Terms};

/// How long after its start a booking may still be made: people book the room they have just walked into.
const LATE: SignedDuration = SignedDuration::from_mins(15);

/// A rule that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Broken {
    /// The rule's name.
    #[schema(example = "horizon")]
    pub rule: &'static str,
    /// What it demands.
    pub detail: String,
    /// The resource whose rule it is.
    pub resource_id: Option<ResourceId>,
}

/// Somebody, as the rules see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user.
    pub id: UserId,
    /// Their role.
    pub role: Role,
    /// The places and people that they are limited to, as a manager.
    pub remit: Option<Remit>,
    /// The groups they are in.
    pub groups: BTreeSet<GroupId>,
    /// Whether their account is in use: nothing is booked by or for one that is closed.
    pub active: bool,
}

impl Person {
    /// Somebody of whom only is known that they are there.
    #[must_use]
    pub const fn nobody(id: UserId) -> Self {
        Self { id, role: Role::User, remit: None, groups: BTreeSet::new(), active: true }
    }

    /// Whether they manage a resource.
    #[must_use]
    pub fn runs(&self, item: &Item) -> bool {
        self.manages(|remit| remit.has_place(&item.places))
    }

    /// Whether they manage what is somebody else's.
    #[must_use]
    pub fn answers_for(&self, owner: &Self) -> bool {
        self.manages(|remit| owner.id != self.id && remit.has_member(&owner.groups))
    }

    fn manages(&self, is_theirs: impl FnOnce(&Remit) -> bool) -> bool {
        self.role >= Role::Manager && self.remit.as_ref().is_none_or(is_theirs)
    }

    /// Whether they are among some people.
    #[must_use]
    pub fn is_among(&self, who: &Who) -> bool {
        who.includes(self.id, self.role, &self.groups)
    }

    /// Whether they may decide on a step of an approval. Who is named by their role alone has to manage what is asked for.
    #[must_use]
    pub fn decides(&self, step: &ApprovalStep, escalated: bool, manages: bool) -> bool {
        let named = |who: &Who| {
            let (people, role) =
                (Who { role: None, ..who.clone() }, Who { role: who.role, ..Who::default() });
            let by_role = if *who == Who::default() {
                self.role.may::<BookingsApprove>()
            } else {
                self.is_among(&role)
            };
            self.is_among(&people) || (manages && by_role)
        };
        named(&step.approvers) || (escalated && named(&step.escalate_to))
    }
}

/// A resource that a request is about.
#[derive(Debug, Clone)]
pub struct Item {
    /// The resource.
    pub resource_id: ResourceId,
    /// How many of its units.
    pub units: i32,
    /// Where it is, from the site down.
    pub places: Vec<LocationId>,
    /// Its zone.
    pub zone: TimeZone,
    /// How many people fit.
    pub seats: Option<i32>,
    /// The rules in force.
    pub rules: Rules,
}

impl Item {
    /// Whether it is there for somebody: every layer that says who sees it names them, or they manage it. The one place
    /// where this service decides that.
    #[must_use]
    pub fn is_seen_by(&self, person: &Person) -> bool {
        person.runs(self) || self.rules.see.iter().all(|who| person.is_among(who))
    }

    /// Whether somebody may book it.
    #[must_use]
    pub fn admits(&self, person: &Person) -> bool {
        let may_book = || person.runs(self) || self.rules.book.iter().all(|who| person.is_among(who));
        self.is_seen_by(person) && may_book()
    }
}

/// A booking that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// When.
    pub slot: Slot,
    /// How many people come.
    pub attendees: Option<i32>,
    /// Whose it is to be.
    pub owner: &'a Person,
    /// Who asks.
    pub actor: &'a Person,
    /// The resources.
    pub items: &'a [Item],
    /// When it is asked.
    pub now: Timestamp,
    /// The slot before a change: a start that stays is no start in the past, and an end that comes nearer no horizon.
    pub before: Option<Slot>,
}

/// What the rules say of a request.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Every rule that it breaks.
    pub broken: Vec<Broken>,
    /// The terms that it would be booked under.
    pub terms: Terms,
    /// What it costs.
    pub quote: Option<Quote>,
    /// Its priority.
    pub priority: i32,
    /// The quotas that it counts against.
    pub quotas: Vec<ScopedQuota>,
}

/// Evaluates a request.
#[must_use]
pub fn evaluate(request: &Request<'_>) -> Verdict {
    let mut broken: Vec<Broken> = request.items.iter().flat_map(|item| rules_broken(request, item)).collect();
    let quote = match quote(request) {
        Ok(quote) => quote,
        Err(one) => {
            broken.push(one);
            None
        }
    };
    let rules = || request.items.iter().map(|item| &item.rules);
    let mut quotas: Vec<ScopedQuota> = Vec::new();
    for quota in rules().flat_map(|rules| &rules.quotas) {
        if !quotas.contains(quota) {
            quotas.push(*quota);
        }
    }
    Verdict {
        broken,
        terms: terms(request, quote.as_ref()),
        quote,
        priority: rules().map(|rules| rules.priority).max().unwrap_or(0),
        quotas,
    }
}

fn rules_broken(request: &Request<'_>, item: &Item) -> Vec<Broken> {
    let (rules, slot, now) = (&item.rules, request.slot, request.now);
    let keeps_start = request.before.is_some_and(|before| before.starts_at() == slot.starts_at());
    let no_later = request.before.is_some_and(|before| slot.ends_at() <= before.ends_at());
    let ahead = slot.starts_at().duration_since(now);
    let mut checks = vec![
        (
            slot.duration() >= rules.shortest,
            "min_duration",
            format!("It must be {} long at least.", text(rules.shortest)),
        ),
        (
            slot.duration() <= rules.longest,
            "max_duration",
            format!("It may be {} long at most.", text(rules.longest)),
        ),
        (keeps_start || ahead >= -LATE, "lead_time", "It must not start in the past.".to_owned()),
        (
            no_later || slot.ends_at().duration_since(now) <= rules.horizon,
            "horizon",
            format!("It may be {} ahead at most.", text(rules.horizon)),
        ),
    ];
    if !rules.lead.is_zero() && ahead >= -LATE {
        let detail = format!("It must be made {} ahead at least.", text(rules.lead));
        checks.push((keeps_start || ahead >= rules.lead, "lead_time", detail));
    }
    if let Some(grid) = rules.grid {
        let detail = format!("Start and length must be multiples of {grid} minutes.");
        checks.push((is_on_grid(&slot, &item.zone, grid), "grid", detail));
    }
    let detail = "It must be within the opening hours.".to_owned();
    checks.push((!is_outside_hours(item, &slot), "opening_hours", detail));
    checks.extend(people_checks(request, item));
    checks
        .into_iter()
        .filter(|(kept, ..)| !kept)
        .map(|(_, rule, detail)| Broken { rule, detail, resource_id: Some(item.resource_id) })
        .collect()
}

/// Who may book, and how many have to come.
fn people_checks(request: &Request<'_>, item: &Item) -> Vec<(bool, &'static str, String)> {
    let (rules, actor, owner) = (&item.rules, request.actor, request.owner);
    let runs = actor.runs(item);
    let may_for_others =
        runs || actor.answers_for(owner) || rules.book_for_others.iter().all(|who| actor.is_among(who));
    let attendees = request.attendees.unwrap_or(1);
    let least = i32::try_from(rules.min_attendees).unwrap_or(i32::MAX);
    let for_others = actor.id != owner.id;
    let fits = item.seats.is_none_or(|seats| request.attendees.is_none_or(|attendees| attendees <= seats));
    vec![
        (runs || item.admits(owner), "access", "You may not book this resource.".to_owned()),
        (
            !for_others || may_for_others,
            "access_for_others",
            "You may not book this resource for others.".to_owned(),
        ),
        (
            !rules.attendees_required || request.attendees.is_some(),
            "attendees_required",
            "Say how many people come.".to_owned(),
        ),
        (attendees >= least || least <= 1, "min_attendees", format!("It is for {least} people at least.")),
        (fits, "seats", format!("It has {} seats.", item.seats.unwrap_or(0))),
    ]
}

/// Whether a slot is outside of the opening hours, and neither that nor an approval allows it.
#[must_use]
pub fn is_outside_hours(item: &Item, slot: &Slot) -> bool {
    let rules = &item.rules;
    let on_request = rules.approvals.iter().any(|approval| approval.outside_hours);
    rules.within_hours && !on_request && !is_open(item, slot)
}

fn is_open(item: &Item, slot: &Slot) -> bool {
    item.rules.schedule.as_ref().is_none_or(|hours| schedule::covers(hours, &item.zone, slot))
}

fn is_on_grid(slot: &Slot, zone: &TimeZone, grid: u32) -> bool {
    let start = zone.to_datetime(slot.starts_at());
    let minute = i64::from(start.hour()) * 60 + i64::from(start.minute());
    let whole = slot.starts_at().as_millisecond() % 60_000 == 0 && slot.duration().as_millis() % 60_000 == 0;
    whole && minute % i64::from(grid) == 0 && slot.duration().as_mins() % i64::from(grid) == 0
}

/// The quotes of all resources together.
fn quote(request: &Request<'_>) -> Result<Option<Quote>, Broken> {
    let mut sum: Option<Quote> = None;
    for item in request.items {
        let Some(prices) = &item.rules.prices else { continue };
        let priced = Priced {
            slot: request.slot,
            zone: &item.zone,
            units: item.units,
            groups: &request.owner.groups,
            resource_id: item.resource_id,
            from: item.rules.prices_from,
        };
        let quote = Quote::of(prices, &priced);
        sum = Some(match sum {
            None => quote,
            Some(mut sum) => {
                sum.total = sum.total.plus(&quote.total).map_err(|_| Broken {
                    rule: "one_currency",
                    detail: "Resources with prices in different currencies cannot be booked together."
                        .to_owned(),
                    resource_id: Some(item.resource_id),
                })?;
                sum.lines.extend(quote.lines);
                sum
            }
        });
    }
    Ok(sum)
}

fn terms(request: &Request<'_>, quote: Option<&Quote>) -> Terms {
    let rules = || request.items.iter().map(|item| &item.rules);
    let check_ins = || rules().map(|rules| rules.check_in);
    let mut terms = Terms {
        buffers: request
            .items
            .iter()
            .filter(|item| item.rules.buffers != Buffers::default())
            .map(|item| (item.resource_id, item.rules.buffers))
            .collect(),
        blocks: rules().all(|rules| rules.pending_blocks),
        ..Terms::default()
    };
    for rules in rules() {
        let (ours, its) = (&mut terms.cancellation, &rules.cancellation);
        ours.deadline_minutes = ours.deadline_minutes.max(its.deadline_minutes);
        ours.free_until_minutes = ours.free_until_minutes.max(its.free_until_minutes);
        ours.fee_percent = ours.fee_percent.max(its.fee_percent);
    }
    terms.check_in.required = check_ins().any(|one| one.required);
    terms.check_in.opens_minutes = check_ins().filter_map(|one| one.opens_minutes).min();
    terms.check_in.grace_minutes = check_ins().filter_map(|one| one.grace_minutes).min();
    let with_credit =
        |rules: &Rules| rules.prices.as_ref().is_some_and(|prices| prices.pay_with == PayWith::Credit);
    terms.pay_with = if rules().any(with_credit) { PayWith::Credit } else { PayWith::Invoice };
    terms.approval = asking(request, quote.map(|quote| &quote.total));
    terms
}

/// The approval that the request needs; none when it needs none, or when who asks could give all of it alone.
fn asking(request: &Request<'_>, price: Option<&Money>) -> Option<Asking> {
    let mut steps: Vec<ApprovalStep> = Vec::new();
    let mut expires_after: Option<u32> = None;
    for item in request.items {
        for approval in &item.rules.approvals {
            let long = approval.over_minutes.is_some_and(|most| request.slot.duration() > minutes(most));
            let dear =
                approval.over_price.as_ref().zip(price).is_some_and(|(most, price)| {
                    price.currency == most.currency && price.amount > most.amount
                });
            if !(approval.always || (approval.outside_hours && !is_open(item, &request.slot)) || long || dear)
            {
                continue;
            }
            let default = [ApprovalStep::default()];
            let demanded = if approval.steps.is_empty() { &default[..] } else { &approval.steps };
            for step in demanded {
                if !steps.contains(step) {
                    steps.push(step.clone());
                }
            }
            expires_after = expires_after.into_iter().chain(approval.expires_after_minutes).min();
        }
    }
    let (actor, owner) = (request.actor, request.owner);
    // A remit limits who has one; all others decide as the step says.
    let manages = actor.remit.is_none()
        || actor.answers_for(owner)
        || request.items.iter().all(|item| actor.runs(item));
    let alone = |step: &ApprovalStep| step.quorum <= 1 && actor.decides(step, false, manages);
    if steps.iter().all(alone) {
        return None;
    }
    let expires_at = expires_after.map(|after| request.now + minutes(after));
    Some(Asking { steps, step: 0, round: 1, since: request.now, escalated: false, expires_at })
}

fn text(duration: SignedDuration) -> String {
    match (duration.as_hours(), duration.as_mins()) {
        (hours, _) if hours >= 48 => format!("{} days", hours / 24),
        (hours, _) if hours > 1 => format!("{hours} hours"),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests;
