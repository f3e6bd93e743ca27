//! The rules in force for a resource: the layers laid on it, and of each rule the strictest. Pure.

use contracts::rules::{
    Approval, Cancellation, CheckIn, Policy, Prices, Quota, Recurrence, RuleSet, Schedule, Scope, Who,
};
use holidays::Calendar;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::origins::Origin;

/// When no layer says so: the shortest and the longest booking, and how far ahead it may end.
pub const DEFAULTS: (u32, u32, u32) = (5, 60 * 24 * 31, 60 * 24 * 730);
/// When no layer says so, how long before the start check-in opens and how long after it the grace ends, in minutes.
pub const CHECK_IN: (u32, u32) = (15, 15);

/// The rules of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What they are laid on.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// Their version; none of rules that are only tried.
    pub version: Option<i64>,
    /// The rules.
    pub rules: RuleSet,
}

/// A quota with the scope that it counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopedQuota {
    /// Bookings of what is counted.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// The quota.
    pub quota: Quota,
}

/// What holds for a resource and a booker, all layers taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The shortest booking.
    pub shortest: SignedDuration,
    /// The longest booking.
    pub longest: SignedDuration,
    /// Start and length are multiples of so many minutes.
    pub grid: Option<u32>,
    /// How long before its start a booking must be made.
    pub lead: SignedDuration,
    /// How far ahead it may end.
    pub horizon: SignedDuration,
    /// Whether it has to be within the schedule.
    pub within_hours: bool,
    /// What is kept free around it.
    pub buffers: Buffers,
    /// Each layer's approval, from the most general one.
    pub approvals: Vec<Approval>,
    /// Until when it can be cancelled, and what that costs.
    pub cancellation: Cancellation,
    /// Whether people have to show that they came.
    pub check_in: CheckIn,
    /// Who sees it at all: each of these.
    pub see: Vec<Who>,
    /// Who may book it: each of these.
    pub book: Vec<Who>,
    /// Who may book it for others: each of these.
    pub book_for_others: Vec<Who>,
    /// Quotas, all of which hold.
    pub quotas: Vec<ScopedQuota>,
    /// How far a series may go.
    pub recurrence: Recurrence,
    /// The priority of a booking.
    pub priority: i32,
    /// Whether it makes way for one of higher priority.
    pub preemptible: bool,
    /// Whether a request blocks others.
    pub pending_blocks: bool,
    /// Whether the number of attendees has to be given.
    pub attendees_required: bool,
    /// Attendees at least.
    pub min_attendees: u32,
    /// When it is open; always when none.
    pub schedule: Option<Schedule>,
    /// What it costs; nothing when none.
    pub prices: Option<Prices>,
    /// The layer that the prices are of.
    pub prices_from: Option<Origin>,
}

/// What is kept free around a booking, in minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffers {
    /// Before its start.
    pub before: u32,
    /// After its end.
    pub after: u32,
}

impl Rules {
    /// The rules of layers, given from the most general to the most specific: organization, type, locations from the site
    /// down, groups, resource.
    #[must_use]
    pub fn of(layers: &[Layer]) -> Self {
        let all = || layers.iter().map(|layer| &layer.rules.policy);
        let most = |rule: fn(&Policy) -> Option<u32>| all().filter_map(rule).max();
        let least = |rule: fn(&Policy) -> Option<u32>| all().filter_map(rule).min();
        let each_says = |rule: fn(&Policy) -> Option<bool>| all().filter_map(rule).collect::<Vec<_>>();
        let whos =
            |rule: fn(&Policy) -> &Option<Who>| all().filter_map(|policy| rule(policy).clone()).collect();
        Self {
            shortest: minutes(most(|policy| policy.min_minutes).unwrap_or(DEFAULTS.0)),
            longest: minutes(least(|policy| policy.max_minutes).unwrap_or(DEFAULTS.1)),
            grid: all().filter_map(|policy| policy.grid_minutes).reduce(common_multiple),
            lead: minutes(most(|policy| policy.lead_minutes).unwrap_or(0)),
            horizon: minutes(least(|policy| policy.horizon_minutes).unwrap_or(DEFAULTS.2)),
            within_hours: {
                let said = each_says(|policy| policy.within_hours);
                said.is_empty() || said.contains(&true)
            },
            buffers: Buffers {
                before: most(|policy| policy.buffer_before_minutes).unwrap_or(0),
                after: most(|policy| policy.buffer_after_minutes).unwrap_or(0),
            },
            approvals: all().filter_map(|policy| policy.approval.clone()).collect(),
            cancellation: cancellation(all().filter_map(|policy| policy.cancellation.as_ref())),
            check_in: check_in(all().filter_map(|policy| policy.check_in.as_ref())),
            see: whos(|policy| &policy.access.see),
            book: whos(|policy| &policy.access.book),
            book_for_others: whos(|policy| &policy.access.book_for_others),
            quotas: layers.iter().flat_map(quotas).collect(),
            recurrence: recurrence(all().filter_map(|policy| policy.recurrence)),
            priority: all().filter_map(|policy| policy.priority).max().unwrap_or(0),
            preemptible: {
                let said = each_says(|policy| policy.preemptible);
                !said.is_empty() && !said.contains(&false)
            },
            pending_blocks: !each_says(|policy| policy.pending_blocks).contains(&false),
            attendees_required: each_says(|policy| policy.attendees_required).contains(&true),
            min_attendees: most(|policy| policy.min_attendees).unwrap_or(0),
            schedule: layers.iter().rev().find_map(|layer| layer.rules.schedule.clone()),
            prices: layers.iter().rev().find_map(|layer| layer.rules.prices.clone()),
            prices_from: layers.iter().rev().find(|layer| layer.rules.prices.is_some()).map(Origin::from),
        }
    }
}

/// Rules that somebody wants to try, checked as far as deciding with them demands; what else is wrong with them is told
/// when they are laid down.
///
/// # Errors
/// What is wrong with them.
pub fn tried(scope: Scope, scope_id: Uuid, document: &Value) -> Result<Layer, String> {
    bounded("", document)?;
    let mut unknown = Vec::new();
    let rules = serde_ignored::deserialize(document, |path| unknown.push(path.to_string()));
    let rules: RuleSet = rules.map_err(|error: serde_json::Error| error.to_string())?;
    if let Some(field) = unknown.first() {
        return Err(format!("unknown field `{}`", field.replace(".?", "")));
    }
    let holidays = rules.schedule.as_ref().and_then(|schedule| schedule.holidays.as_ref());
    if holidays.is_some_and(|one| Calendar::of(&one.country, one.region.as_deref()).is_none()) {
        return Err("`holidays` names a country or region of which none are known".to_owned());
    }
    Ok(Layer { scope, scope_id, version: None, rules })
}

/// Minutes fit into ten years, a grid is one, and lists are short.
fn bounded(name: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| bounded(name, value)),
        Value::Array(items) if items.len() > most(name) => {
            Err(format!("`{name}` has more than {} entries", most(name)))
        }
        Value::Array(items) => items.iter().try_for_each(|item| bounded(name, item)),
        Value::Number(number) if name.ends_with("_minutes") => {
            let least = u64::from(name == "grid_minutes");
            let fits = number.as_u64().is_some_and(|count| (least..=5_270_400).contains(&count));
            if fits { Ok(()) } else { Err(format!("`{name}` is from {least} to 5270400")) }
        }
        Value::Number(number) => {
            let fits = number.as_i64().is_some_and(|count| (-1_000_000..=1_000_000_000_000).contains(&count));
            if fits { Ok(()) } else { Err(format!("`{name}` is out of range")) }
        }
        _ => Ok(()),
    }
}

/// Entries of a list at most.
fn most(name: &str) -> usize {
    if name == "overrides" { 400 } else { 100 }
}

/// A number of minutes as a length of time.
#[must_use]
pub fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

/// Of two grids, the coarsest that fits both.
#[must_use]
pub fn common_multiple(a: u32, b: u32) -> u32 {
    let (mut x, mut y) = (a.max(1), b.max(1));
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a.max(1) / x).saturating_mul(b.max(1))
}

fn cancellation<'a>(all: impl Iterator<Item = &'a Cancellation>) -> Cancellation {
    all.fold(Cancellation::default(), |strictest, one| Cancellation {
        deadline_minutes: strictest.deadline_minutes.max(one.deadline_minutes),
        free_until_minutes: strictest.free_until_minutes.max(one.free_until_minutes),
        fee_percent: strictest.fee_percent.max(one.fee_percent),
    })
}

fn check_in<'a>(all: impl Iterator<Item = &'a CheckIn> + Clone) -> CheckIn {
    CheckIn {
        required: all.clone().any(|one| one.required),
        opens_minutes: all.clone().filter_map(|one| one.opens_minutes).min().or(Some(CHECK_IN.0)),
        grace_minutes: all.filter_map(|one| one.grace_minutes).min().or(Some(CHECK_IN.1)),
    }
}

fn recurrence(all: impl Iterator<Item = Recurrence> + Clone) -> Recurrence {
    Recurrence {
        max_occurrences: all.clone().filter_map(|one| one.max_occurrences).min(),
        horizon_minutes: all.filter_map(|one| one.horizon_minutes).min(),
    }
}

fn quotas(layer: &Layer) -> impl Iterator<Item = ScopedQuota> {
    let quotas = layer.rules.policy.quotas.iter();
    quotas.map(|quota| ScopedQuota { scope: layer.scope, scope_id: layer.scope_id, quota: *quota })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(policies: &[Value]) -> Rules {
        let layers: Vec<Layer> = policies
            .iter()
            .map(|rules| Layer {
                scope: Scope::Organization,
                scope_id: Uuid::nil(),
                version: Some(1),
                rules: serde_json::from_value(rules.clone()).unwrap(),
            })
            .collect();
        Rules::of(&layers)
    }

    #[test]
    fn the_strictest_wins_in_any_order() {
        let a = json!({ "policy": { "min_minutes": 30, "max_minutes": 240, "grid_minutes": 15, "pending_blocks": false,
                                     "check_in": { "required": true, "grace_minutes": 20 } } });
        let b = json!({ "policy": { "min_minutes": 20, "max_minutes": 480, "grid_minutes": 10,
                                    "check_in": { "grace_minutes": 10 } } });
        for rules in [rules(&[a.clone(), b.clone()]), rules(&[b, a])] {
            assert_eq!((rules.shortest, rules.longest), (minutes(30), minutes(240)));
            assert_eq!((rules.grid, rules.pending_blocks), (Some(30), false));
            assert!(rules.check_in.required && rules.within_hours);
            assert_eq!((rules.check_in.opens_minutes, rules.check_in.grace_minutes), (Some(15), Some(10)));
        }
    }

    #[test]
    fn what_is_tried_has_known_holidays_and_as_many_overrides_as_may_be_laid_down() {
        let day = json!({ "from": "2026-12-24", "until": "2026-12-24" });
        let with = |count: usize, country: &str| {
            let overrides: Vec<&Value> = std::iter::repeat_n(&day, count).collect();
            let schedule = json!({ "overrides": overrides, "holidays": { "country": country } });
            tried(Scope::Type, Uuid::nil(), &json!({ "schedule": schedule }))
        };
        assert!(with(400, "PT").is_ok());
        assert!(with(401, "PT").is_err() && with(1, "XX").is_err());
    }

    #[test]
    fn schedule_and_prices_are_those_of_the_most_specific() {
        let of_type = json!({ "schedule": { "weekly": [] }, "prices": { "currency": "EUR", "prices": [] } });
        let of_resource = json!({ "prices": { "currency": "CHF", "prices": [] } });
        let rules = rules(&[of_type, of_resource]);
        assert_eq!(rules.schedule, Some(Schedule::default()));
        assert_eq!(rules.prices.unwrap().currency.to_string(), "CHF");
    }
}
