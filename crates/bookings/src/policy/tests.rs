//! Every rule, broken and kept; the terms that come of them.

use contracts::rules::{RuleSet, Scope};
use kernel::{LocationId, Remit};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::rules::Layer;

const NOW: &str = "2026-03-02T08:00:00Z";

fn person(role: Role) -> Person {
    Person { role, ..Person::nobody(UserId::mint()) }
}

fn item(rules: Value) -> Item {
    let rules: RuleSet = serde_json::from_value(rules).unwrap();
    Item {
        resource_id: ResourceId::mint(),
        units: 1,
        places: Vec::new(),
        zone: TimeZone::UTC,
        seats: Some(8),
        rules: Rules::of(&[Layer { scope: Scope::Resource, scope_id: Uuid::nil(), version: None, rules }]),
    }
}

fn verdict(
    items: &[Item],
    starts_at: &str,
    ends_at: &str,
    attendees: Option<i32>,
    actor: &Person,
) -> Verdict {
    let slot = Slot::new(starts_at.parse().unwrap(), ends_at.parse().unwrap()).unwrap();
    let now = NOW.parse().unwrap();
    evaluate(&Request { slot, attendees, owner: actor, actor, items, now, before: None })
}

fn broken(rules: Value, starts_at: &str, ends_at: &str, attendees: Option<i32>) -> Vec<&'static str> {
    let verdict = verdict(&[item(rules)], starts_at, ends_at, attendees, &person(Role::User));
    verdict.broken.into_iter().map(|broken| broken.rule).collect()
}

#[test]
fn every_broken_rule_is_told() {
    let none = json!({});
    assert_eq!(broken(none.clone(), "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", None), [""; 0]);
    assert_eq!(broken(none.clone(), "2026-03-02T07:45:00Z", "2026-03-02T10:00:00Z", None), [""; 0]);
    assert_eq!(
        broken(none.clone(), "2026-03-02T07:44:00Z", "2026-03-02T07:48:00Z", None),
        ["min_duration", "lead_time"]
    );
    assert_eq!(
        broken(none, "2029-03-02T07:00:00Z", "2029-05-02T07:00:00Z", None),
        ["max_duration", "horizon"]
    );
    let rules = json!({
        "policy": { "grid_minutes": 30, "lead_minutes": 120, "max_minutes": 60, "attendees_required": true, "min_attendees": 4 },
        "schedule": { "weekly": [{ "days": ["monday"], "opens": "10:00", "closes": "18:00" }] },
    });
    assert_eq!(
        broken(rules.clone(), "2026-03-02T09:10:00Z", "2026-03-02T10:20:00Z", None),
        ["max_duration", "lead_time", "grid", "opening_hours", "attendees_required", "min_attendees"]
    );
    assert_eq!(broken(rules.clone(), "2026-03-02T10:30:00Z", "2026-03-02T11:00:00Z", Some(9)), ["seats"]);
    assert_eq!(broken(rules, "2026-03-02T10:30:00Z", "2026-03-02T11:00:00Z", Some(4)), [""; 0]);
}

#[test]
fn access_is_for_those_who_are_named_and_for_managers() {
    let (inside, outside) = (person(Role::User), person(Role::User));
    let items = [item(json!({ "policy": { "access": { "book": { "users": [inside.id] } } } }))];
    let check = |actor: &Person| {
        verdict(&items, "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", None, actor).broken.len()
    };
    assert_eq!((check(&inside), check(&outside), check(&person(Role::Manager))), (0, 1, 0));
}

#[test]
fn approval_is_asked_for_when_a_condition_holds() {
    let rules = json!({
        "policy": { "approval": { "outside_hours": true, "over_minutes": 60, "expires_after_minutes": 30 } },
        "schedule": { "weekly": [{ "days": ["monday"], "opens": "08:00", "closes": "18:00" }] },
    });
    let items = [item(rules)];
    let asks = |from: &str, to: &str, role| {
        let verdict = verdict(&items, from, to, None, &person(role));
        assert!(verdict.broken.is_empty(), "{:?}", verdict.broken);
        verdict.terms.approval
    };
    assert_eq!(asks("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", Role::User), None);
    let long = asks("2026-03-02T09:00:00Z", "2026-03-02T10:30:00Z", Role::User).unwrap();
    assert_eq!(long.expires_at.unwrap().to_string(), "2026-03-02T08:30:00Z");
    assert!(asks("2026-03-02T18:00:00Z", "2026-03-02T18:30:00Z", Role::User).is_some());
    assert_eq!(
        asks("2026-03-02T18:00:00Z", "2026-03-02T18:30:00Z", Role::Manager),
        None,
        "they could approve it alone"
    );
}

#[test]
fn who_could_approve_alone_needs_nobody_and_a_manager_of_some_places_only_there() {
    let asks = |approvers: Value, places: &[LocationId], actor: &Person| {
        let rules =
            json!({ "policy": { "approval": { "always": true, "steps": [{ "approvers": approvers }] } } });
        let item = Item { places: places.to_vec(), ..item(rules) };
        let verdict = verdict(&[item], "2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z", None, actor);
        verdict.terms.approval.is_some()
    };
    let [here, there] = [LocationId::mint(), LocationId::mint()];
    let remit = Remit { locations: [here].into(), ..Remit::default() };
    let caretaker = Person { remit: Some(remit), ..person(Role::Manager) };
    let by_role = || json!({ "role": "manager" });
    assert!(!asks(by_role(), &[here], &caretaker) && asks(by_role(), &[there], &caretaker));
    assert!(!asks(json!({}), &[here], &caretaker) && asks(json!({}), &[there], &caretaker));
    assert!(
        !asks(json!({ "users": [caretaker.id] }), &[there], &caretaker),
        "who is named decides everywhere"
    );
    assert!(!asks(by_role(), &[there], &person(Role::Manager)));
    assert!(!asks(json!({ "role": "user" }), &[there], &person(Role::User)));
}

#[test]
fn terms_are_the_strictest_of_all_resources() {
    let room = item(json!({ "policy": { "buffer_after_minutes": 15, "check_in": { "required": true },
                                        "cancellation": { "deadline_minutes": 60, "fee_percent": 10 } } }));
    let car = item(
        json!({ "policy": { "cancellation": { "deadline_minutes": 30, "fee_percent": 50 }, "pending_blocks": false },
                           "prices": { "currency": "EUR", "pay_with": "credit",
                                       "prices": [{ "name": "Car", "amount": 600, "per": "hour" }] } }),
    );
    let id = room.resource_id;
    let verdict =
        verdict(&[room, car], "2026-03-02T09:00:00Z", "2026-03-02T10:30:00Z", None, &person(Role::User));
    assert_eq!(verdict.terms.buffers, [(id, Buffers { before: 0, after: 15 })].into());
    assert_eq!(verdict.terms.cancellation.deadline_minutes, Some(60));
    assert_eq!(verdict.terms.cancellation.fee_percent, Some(50));
    assert!(verdict.terms.check_in.required && !verdict.terms.blocks);
    assert_eq!((verdict.terms.pay_with, verdict.quote.unwrap().total.amount), (PayWith::Credit, 900));
}
