//! Which layer each rule in force comes from. Pure; says of single rules what [`Rules::of`](crate::rules::Rules::of) says of
//! all of them.

use contracts::rules::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rules::{CHECK_IN, DEFAULTS, Layer, common_multiple};

/// Rules that something lies under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuleOrigin)]
pub struct Origin {
    /// What they are laid on.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// Their version; null of rules that are only tried.
    pub version: Option<i64>,
}

impl From<&Layer> for Origin {
    fn from(layer: &Layer) -> Self {
        Self { scope: layer.scope, scope_id: layer.scope_id, version: layer.version }
    }
}

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleValue {
    /// Its name, as in `PUT /api/v1/rules/{id}`: `policy` left out, members of members behind a dot.
    #[schema(example = "cancellation.fee_percent")]
    pub rule: &'static str,
    /// What holds.
    #[schema(value_type = Object)]
    pub value: Value,
    /// The layers that say so, the most general first; none: nothing says otherwise.
    pub from: Vec<Origin>,
}

/// How the layers' values of a rule become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combined {
    /// The greatest.
    Most,
    /// The least.
    Least,
    /// The least that all divide.
    Multiple,
    /// True when one says so.
    Any,
    /// True when none says otherwise.
    All,
    /// Each holds by itself.
    Each,
}

/// Every rule of a policy: its name, how layers combine, and what holds where none speaks; null: nothing is demanded.
fn table() -> [(&'static str, Combined, Value); 26] {
    use Combined::{All, Any, Each, Least, Most, Multiple};
    let none = || Value::Null;
    [
        ("min_minutes", Most, json!(DEFAULTS.0)),
        ("max_minutes", Least, json!(DEFAULTS.1)),
        ("grid_minutes", Multiple, none()),
        ("lead_minutes", Most, json!(0)),
        ("horizon_minutes", Least, json!(DEFAULTS.2)),
        ("within_hours", Any, json!(true)),
        ("buffer_before_minutes", Most, json!(0)),
        ("buffer_after_minutes", Most, json!(0)),
        ("approval", Each, none()),
        ("cancellation.deadline_minutes", Most, none()),
        ("cancellation.free_until_minutes", Most, none()),
        ("cancellation.fee_percent", Most, none()),
        ("check_in.required", Any, json!(false)),
        ("check_in.opens_minutes", Least, json!(CHECK_IN.0)),
        ("check_in.grace_minutes", Least, json!(CHECK_IN.1)),
        ("access.see", Each, none()),
        ("access.book", Each, none()),
        ("access.book_for_others", Each, none()),
        ("quotas", Each, none()),
        ("recurrence.max_occurrences", Least, none()),
        ("recurrence.horizon_minutes", Least, none()),
        ("priority", Most, json!(0)),
        ("preemptible", All, json!(false)),
        ("pending_blocks", All, json!(true)),
        ("attendees_required", Any, json!(false)),
        ("min_attendees", Most, json!(0)),
    ]
}

/// Every rule that holds of layers, given from the most general to the most specific. Where nothing is demanded and no layer
/// speaks, it is left out; schedule and prices are those of the most specific layer that has them.
///
/// # Errors
/// When a policy cannot be written as JSON.
pub fn effective(layers: &[Layer]) -> Result<Vec<RuleValue>, serde_json::Error> {
    let policies: Result<Vec<Value>, _> =
        layers.iter().map(|layer| serde_json::to_value(&layer.rules.policy)).collect();
    let said: Vec<(Origin, Value)> = layers.iter().map(Origin::from).zip(policies?).collect();
    let mut values = Vec::new();
    for (rule, combined, default) in table() {
        let pointer = format!("/{}", rule.replace('.', "/"));
        let voices =
            said.iter().filter_map(|(origin, policy)| Some((*origin, policy.pointer(&pointer)?.clone())));
        values.extend(combine(
            rule,
            combined,
            voices.filter(|(_, value)| !value.is_null()).collect(),
            default,
        ));
    }
    for layer in layers.iter().rev().filter(|layer| layer.rules.schedule.is_some()).take(1) {
        values.push(of_one("schedule", layer, serde_json::to_value(&layer.rules.schedule)?));
    }
    for layer in layers.iter().rev().filter(|layer| layer.rules.prices.is_some()).take(1) {
        values.push(of_one("prices", layer, serde_json::to_value(&layer.rules.prices)?));
    }
    Ok(values)
}

fn of_one(rule: &'static str, layer: &Layer, value: Value) -> RuleValue {
    RuleValue { rule, value, from: vec![layer.into()] }
}

/// What voices on one rule come to, with those that say it.
fn combine(
    rule: &'static str,
    combined: Combined,
    voices: Vec<(Origin, Value)>,
    default: Value,
) -> Vec<RuleValue> {
    if voices.is_empty() {
        let is_said = !default.is_null();
        return is_said.then(|| RuleValue { rule, value: default, from: Vec::new() }).into_iter().collect();
    }
    let numbers = || voices.iter().filter_map(|(_, value)| value.as_i64());
    let says = |wanted: bool| voices.iter().any(|(_, value)| *value == json!(wanted));
    let value = match combined {
        Combined::Most => json!(numbers().max()),
        Combined::Least => json!(numbers().min()),
        Combined::Any => json!(says(true)),
        Combined::All => json!(!says(false)),
        Combined::Multiple => {
            let grids = numbers().filter_map(|grid| u32::try_from(grid).ok());
            let from = voices.iter().map(|(origin, _)| *origin).collect();
            return vec![RuleValue { rule, value: json!(grids.reduce(common_multiple)), from }];
        }
        Combined::Each => {
            let each = voices.into_iter();
            return each.map(|(origin, value)| RuleValue { rule, value, from: vec![origin] }).collect();
        }
    };
    let from = voices.iter().filter(|(_, one)| *one == value).map(|(origin, _)| *origin).collect();
    vec![RuleValue { rule, value, from }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, minutes};

    fn layer(scope: Scope, version: i64, rules: Value) -> Layer {
        let rules = serde_json::from_value(rules).unwrap();
        Layer {
            scope,
            scope_id: Uuid::from_u128(version.unsigned_abs().into()),
            version: Some(version),
            rules,
        }
    }

    fn layers() -> [Layer; 3] {
        [
            layer(
                Scope::Organization,
                1,
                json!({
                "policy": { "max_minutes": 480, "min_minutes": 30, "grid_minutes": 10, "within_hours": false,
                            "pending_blocks": false, "preemptible": true, "check_in": { "grace_minutes": 20 },
                            "quotas": [{ "measure": "count", "limit": 3, "per": "day" }] },
                "schedule": { "weekly": [] }, "prices": { "currency": "EUR", "prices": [] } }),
            ),
            layer(
                Scope::Type,
                2,
                json!({
                "policy": { "max_minutes": 240, "grid_minutes": 15, "within_hours": true, "preemptible": true,
                            "priority": 4, "check_in": { "required": true }, "access": { "see": { "role": "user" } } },
                "prices": { "currency": "CHF", "prices": [] } }),
            ),
            layer(
                Scope::Resource,
                3,
                json!({
                "policy": { "max_minutes": 240, "min_minutes": 15, "approval": { "always": true },
                            "cancellation": { "fee_percent": 20 }, "quotas": [] } }),
            ),
        ]
    }

    fn found(rule: &str) -> Vec<(Value, Vec<i64>)> {
        let all = effective(&layers()).unwrap().into_iter().filter(|one| one.rule == rule);
        all.map(|one| (one.value, one.from.iter().filter_map(|origin| origin.version).collect())).collect()
    }

    #[test]
    fn each_value_names_the_layers_that_say_it() {
        assert_eq!(found("max_minutes"), [(json!(240), vec![2, 3])]);
        assert_eq!(found("min_minutes"), [(json!(30), vec![1])]);
        assert_eq!(found("grid_minutes"), [(json!(30), vec![1, 2])]);
        assert_eq!(found("within_hours"), [(json!(true), vec![2])]);
        assert_eq!(found("pending_blocks"), [(json!(false), vec![1])]);
        assert_eq!(found("preemptible"), [(json!(true), vec![1, 2])]);
        assert_eq!(found("check_in.grace_minutes"), [(json!(20), vec![1])]);
        assert_eq!(found("check_in.opens_minutes"), [(json!(15), vec![])]);
        assert_eq!(found("cancellation.fee_percent"), [(json!(20), vec![3])]);
        assert_eq!(found("access.see"), [(json!({ "role": "user" }), vec![2])]);
        assert_eq!(found("approval").len(), 1);
        assert_eq!(found("quotas")[0].1, [1]);
        assert_eq!(found("schedule")[0].1, [1]);
        assert_eq!(
            found("prices"),
            [(json!({ "currency": "CHF", "pay_with": "invoice", "prices": [] }), vec![2])]
        );
        assert_eq!(found("recurrence.max_occurrences"), []);
    }

    #[test]
    fn it_says_what_is_kept() {
        for layers in [&layers()[..], &[], &layers()[1..]] {
            let rules = Rules::of(layers);
            let values = effective(layers).unwrap();
            let value = |rule: &str| {
                values.iter().find(|one| one.rule == rule).map_or(Value::Null, |one| one.value.clone())
            };
            let length = |rule: &str| minutes(u32::try_from(value(rule).as_i64().unwrap()).unwrap());
            assert_eq!((length("min_minutes"), length("max_minutes")), (rules.shortest, rules.longest));
            assert_eq!((length("lead_minutes"), length("horizon_minutes")), (rules.lead, rules.horizon));
            assert_eq!(value("grid_minutes"), json!(rules.grid));
            assert_eq!(value("within_hours"), json!(rules.within_hours));
            assert_eq!(value("pending_blocks"), json!(rules.pending_blocks));
            assert_eq!(value("preemptible"), json!(rules.preemptible));
            assert_eq!(value("priority"), json!(rules.priority));
            assert_eq!(value("check_in.required"), json!(rules.check_in.required));
            assert_eq!(value("check_in.grace_minutes"), json!(rules.check_in.grace_minutes));
            assert_eq!(value("cancellation.fee_percent"), json!(rules.cancellation.fee_percent));
            assert_eq!(value("attendees_required"), json!(rules.attendees_required));
            assert_eq!(value("min_attendees"), json!(rules.min_attendees));
            assert_eq!(value("schedule"), json!(rules.schedule));
        }
    }
}
