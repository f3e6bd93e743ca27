//! What rules may say: ranges, lengths, and what makes no sense together. Pure.

use ::holidays::Calendar;
use contracts::rules::{Approval, Holidays, Policy, Prices, Quota, QuotaOf, RuleSet, Schedule, Scope, Who};

/// The most minutes a rule may name: ten years.
const MOST_MINUTES: u32 = 10 * 366 * 24 * 60;
/// Entries of a list at most.
const MOST: usize = 100;
/// Days with other hours at most.
const MOST_OVERRIDES: usize = 400;
/// Steps of an approval at most.
const MOST_STEPS: usize = 5;
/// Approvals that one step may demand at most.
const MOST_VOICES: u32 = 20;
/// Quotas of one scope at most.
const MOST_QUOTAS: usize = 20;
/// Occurrences of a series: the booking service makes no more at once.
const MOST_OCCURRENCES: u32 = 366;

/// One thing wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// JSON pointer into the document (RFC 6901).
    pub pointer: String,
    /// Stable name of what is wrong.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
}

/// Everything that is wrong with rules for a scope.
#[must_use]
pub fn flaws(rules: &RuleSet, scope: Scope) -> Vec<Flaw> {
    let mut flaws = Flaws::default();
    flaws.policy(&rules.policy, scope);
    if let Some(schedule) = &rules.schedule {
        flaws.schedule(schedule);
    }
    if let Some(prices) = &rules.prices {
        flaws.prices(prices);
    }
    flaws.0
}

#[derive(Default)]
struct Flaws(Vec<Flaw>);

impl Flaws {
    fn demand(&mut self, holds: bool, pointer: &str, code: &'static str, detail: &str) {
        if !holds {
            self.0.push(Flaw { pointer: pointer.to_owned(), code, detail: detail.to_owned() });
        }
    }

    fn policy(&mut self, policy: &Policy, scope: Scope) {
        let minutes = [
            ("min_minutes", policy.min_minutes),
            ("max_minutes", policy.max_minutes),
            ("lead_minutes", policy.lead_minutes),
            ("horizon_minutes", policy.horizon_minutes),
            ("buffer_before_minutes", policy.buffer_before_minutes),
            ("buffer_after_minutes", policy.buffer_after_minutes),
            (
                "recurrence/horizon_minutes",
                policy.recurrence.and_then(|recurrence| recurrence.horizon_minutes),
            ),
        ];
        for (name, value) in minutes {
            let detail = format!("At most {MOST_MINUTES} minutes.");
            self.demand(value <= Some(MOST_MINUTES), &format!("/policy/{name}"), "out_of_range", &detail);
        }
        let grid = policy.grid_minutes.is_none_or(|grid| (1..=1440).contains(&grid));
        self.demand(grid, "/policy/grid_minutes", "out_of_range", "From 1 to 1440 minutes.");
        let ordered = policy.min_minutes.zip(policy.max_minutes).is_none_or(|(least, most)| least <= most);
        self.demand(
            ordered,
            "/policy/max_minutes",
            "out_of_order",
            "The longest is shorter than the shortest.",
        );
        let occurrences = policy.recurrence.and_then(|recurrence| recurrence.max_occurrences);
        let pointer = "/policy/recurrence/max_occurrences";
        self.demand(occurrences <= Some(MOST_OCCURRENCES), pointer, "out_of_range", "From 0 to 366.");
        let fee = policy.cancellation.and_then(|cancellation| cancellation.fee_percent);
        let pointer = "/policy/cancellation/fee_percent";
        self.demand(fee <= Some(100), pointer, "out_of_range", "From 0 to 100 percent.");
        if let Some(approval) = &policy.approval {
            self.approval(approval);
        }
        let access = &policy.access;
        for (name, who) in
            [("see", &access.see), ("book", &access.book), ("book_for_others", &access.book_for_others)]
        {
            if let Some(who) = who {
                self.who(who, &format!("/policy/access/{name}"));
            }
        }
        self.demand(policy.quotas.len() <= MOST_QUOTAS, "/policy/quotas", "too_many", "At most 20 quotas.");
        for (place, quota) in policy.quotas.iter().enumerate() {
            self.quota(quota, scope, &format!("/policy/quotas/{place}"));
        }
        let hides = access.see.is_some() && scope == Scope::Group;
        let detail =
            "Who sees a resource is said where it is: by it, its type, its places or the organization.";
        self.demand(!hides, "/policy/access/see", "not_for_groups", detail);
    }

    fn approval(&mut self, approval: &Approval) {
        self.demand(
            approval.steps.len() <= MOST_STEPS,
            "/policy/approval/steps",
            "too_many",
            "At most 5 steps.",
        );
        let after = approval.expires_after_minutes;
        let pointer = "/policy/approval/expires_after_minutes";
        self.demand(
            after.is_none_or(|after| (1..=MOST_MINUTES).contains(&after)),
            pointer,
            "out_of_range",
            "At least 1 minute.",
        );
        for (place, step) in approval.steps.iter().enumerate() {
            let pointer = format!("/policy/approval/steps/{place}");
            let quorum = (1..=MOST_VOICES).contains(&step.quorum);
            self.demand(quorum, &format!("{pointer}/quorum"), "out_of_range", "From 1 to 20.");
            let calls = step.escalate_after_minutes.is_none() || step.escalate_to != Who::default();
            let detail = "Say who decides after the escalation.";
            self.demand(calls, &format!("{pointer}/escalate_to"), "missing", detail);
            self.who(&step.approvers, &format!("{pointer}/approvers"));
            self.who(&step.escalate_to, &format!("{pointer}/escalate_to"));
        }
    }

    fn who(&mut self, who: &Who, pointer: &str) {
        let few = who.users.len() <= MOST && who.groups.len() <= MOST;
        self.demand(few, pointer, "too_many", "At most 100 users and 100 groups.");
    }

    fn quota(&mut self, quota: &Quota, scope: Scope, pointer: &str) {
        self.demand(quota.limit >= 0, &format!("{pointer}/limit"), "out_of_range", "At least 0.");
        let is_of_group = quota.of != QuotaOf::Group || scope == Scope::Group;
        self.demand(
            is_of_group,
            &format!("{pointer}/of"),
            "not_a_group",
            "Only the rules of a group have a quota of all its members.",
        );
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.demand(schedule.weekly.len() <= MOST, "/schedule/weekly", "too_many", "At most 100 entries.");
        for (place, weekly) in schedule.weekly.iter().enumerate() {
            let pointer = format!("/schedule/weekly/{place}/days");
            self.demand((1..=7).contains(&weekly.days.len()), &pointer, "out_of_range", "From 1 to 7 days.");
        }
        let overrides = &schedule.overrides;
        self.demand(
            overrides.len() <= MOST_OVERRIDES,
            "/schedule/overrides",
            "too_many",
            "At most 400 entries.",
        );
        for (place, one) in overrides.iter().enumerate() {
            let pointer = format!("/schedule/overrides/{place}");
            self.demand(
                one.from <= one.until,
                &format!("{pointer}/until"),
                "out_of_order",
                "It ends before it begins.",
            );
            self.demand(
                one.hours.len() <= MOST,
                &format!("{pointer}/hours"),
                "too_many",
                "At most 100 entries.",
            );
            let named = one.name.as_ref().is_none_or(|name| name.chars().count() <= 100);
            self.demand(named, &format!("{pointer}/name"), "too_long", "At most 100 characters.");
        }
        if let Some(holidays) = &schedule.holidays {
            self.holidays(holidays);
        }
    }

    fn holidays(&mut self, holidays: &Holidays) {
        let pointer = "/schedule/holidays";
        let few = holidays.hours.len() <= MOST;
        self.demand(few, &format!("{pointer}/hours"), "too_many", "At most 100 entries.");
        let is_known = |region| Calendar::of(&holidays.country, region).is_some();
        if !is_known(None) {
            let detail = "No holidays of such a country (ISO 3166-1) are known.";
            self.demand(false, &format!("{pointer}/country"), "unknown_country", detail);
        } else if !is_known(holidays.region.as_deref()) {
            let detail = "No holidays of such a region of the country (ISO 3166-2) are known.";
            self.demand(false, &format!("{pointer}/region"), "unknown_region", detail);
        }
    }

    fn prices(&mut self, prices: &Prices) {
        self.demand(prices.prices.len() <= MOST, "/prices/prices", "too_many", "At most 100 prices.");
        for (place, price) in prices.prices.iter().enumerate() {
            let pointer = format!("/prices/prices/{place}");
            let amount = (0..=1_000_000_000_000).contains(&price.amount);
            self.demand(amount, &format!("{pointer}/amount"), "out_of_range", "From 0 to 1,000,000,000,000.");
            let named = (1..=100).contains(&price.name.chars().count());
            self.demand(named, &format!("{pointer}/name"), "out_of_range", "From 1 to 100 characters.");
            let ordered = price.from.zip(price.until).is_none_or(|(from, until)| from <= until);
            self.demand(ordered, &format!("{pointer}/until"), "out_of_order", "It ends before it begins.");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_flaw_is_named_by_its_place() {
        let rules = json!({
            "policy": { "min_minutes": 60, "max_minutes": 30, "grid_minutes": 0, "lead_minutes": 99_999_999,
                        "cancellation": { "fee_percent": 101 },
                        "approval": { "always": true, "steps": [{ "quorum": 0 }, { "escalate_after_minutes": 5 }] },
                        "quotas": [{ "measure": "count", "limit": -1, "per": "day", "of": "group" }] },
            "schedule": { "weekly": [{ "days": [], "opens": "08:00", "closes": "18:00" }],
                          "overrides": [{ "from": "2026-12-26", "until": "2026-12-25" }],
                          "holidays": { "country": "DE", "region": "ZZ" } },
            "prices": { "currency": "EUR", "prices": [{ "name": "", "amount": -1, "per": "hour" }] },
        });
        let rules: RuleSet = serde_json::from_value(rules).unwrap();
        let pointers: Vec<_> = flaws(&rules, Scope::Type).into_iter().map(|flaw| flaw.pointer).collect();
        assert_eq!(
            pointers,
            [
                "/policy/lead_minutes",
                "/policy/grid_minutes",
                "/policy/max_minutes",
                "/policy/cancellation/fee_percent",
                "/policy/approval/steps/0/quorum",
                "/policy/approval/steps/1/escalate_to",
                "/policy/quotas/0/limit",
                "/policy/quotas/0/of",
                "/schedule/weekly/0/days",
                "/schedule/overrides/0/until",
                "/schedule/holidays/region",
                "/prices/prices/0/amount",
                "/prices/prices/0/name",
            ]
        );
        assert_eq!(flaws(&RuleSet::default(), Scope::Group), []);
        let abroad = json!({ "schedule": { "holidays": { "country": "XX" } } });
        let found = flaws(&serde_json::from_value(abroad).unwrap(), Scope::Type);
        assert_eq!(
            (found[0].pointer.as_str(), found[0].code),
            ("/schedule/holidays/country", "unknown_country")
        );
    }
}
