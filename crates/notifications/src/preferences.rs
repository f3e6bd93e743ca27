//! What people want to be told by mail: their own choice, their organization's rules, quiet hours.

pub mod quiet;
pub mod token;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::Kind;
use crate::templates::KINDS;

pub use quiet::QuietHours;

/// Whether a person is told of a kind of thing by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preference {
    /// Of what.
    pub kind: Kind,
    /// Whether mails are sent.
    pub is_wanted: bool,
    /// Whether the organization has fixed it: then the person's own choice does not count.
    pub is_fixed: bool,
}

/// What an organization says of a kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreferenceRule)]
pub struct Rule {
    /// Of what.
    pub kind: Kind,
    /// Whether mails are sent to those who have said nothing.
    pub is_wanted: bool,
    /// Whether that holds for all, whatever they have said.
    pub is_fixed: bool,
}

/// What holds for a person, for every kind that can be chosen: a fixed rule, else their choice, else the rule, else what is usual.
#[must_use]
pub fn settle(rules: &[Rule], choices: &[(Kind, bool)]) -> Vec<Preference> {
    let settle = |kind: Kind| {
        let rule = rules.iter().find(|rule| rule.kind == kind);
        let choice = choices.iter().find(|(chosen, _)| *chosen == kind).map(|(_, is_wanted)| *is_wanted);
        let is_fixed = rule.is_some_and(|rule| rule.is_fixed);
        let by_rule = rule.map_or(kind.is_wanted(), |rule| rule.is_wanted);
        Preference { kind, is_wanted: if is_fixed { by_rule } else { choice.unwrap_or(by_rule) }, is_fixed }
    };
    KINDS.into_iter().map(settle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_rule_comes_before_a_choice_and_a_choice_before_a_rule() {
        let wanted = |rules: &[Rule], choices: &[(Kind, bool)]| {
            let preferences = settle(rules, choices).into_iter().take(3);
            preferences.map(|preference| preference.is_wanted).collect::<Vec<_>>()
        };
        assert_eq!(wanted(&[], &[]), [true, true, true]);
        let unasked = settle(&[], &[]).into_iter().filter(|preference| !preference.is_wanted);
        assert_eq!(unasked.map(|preference| preference.kind).collect::<Vec<_>>(), [Kind::BookingCompleted]);
        let rule = |kind, is_wanted, is_fixed| Rule { kind, is_wanted, is_fixed };
        let rules = [rule(Kind::BookingConfirmed, false, false), rule(Kind::BookingCancelled, true, true)];
        assert_eq!(wanted(&rules, &[]), [false, true, true]);
        let choices =
            [(Kind::BookingConfirmed, true), (Kind::BookingMoved, false), (Kind::BookingCancelled, false)];
        assert_eq!(wanted(&rules, &choices), [true, false, true]);
    }
}
