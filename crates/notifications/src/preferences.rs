//! What people want to be told, and by which way: their own choice, their organization's rules, quiet hours.

pub mod quiet;
pub mod token;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::Kind;
use crate::templates::KINDS;

pub use quiet::QuietHours;

/// A way by which a person may want to be told, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = PreferenceChannel)]
pub enum Channel {
    /// A mail.
    #[default]
    Email,
    /// A push to each of their devices.
    Push,
    /// A short message to their phone.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Push, Self::Sms];

    /// Whether those are told of a kind by this way of whom nobody has said anything. A short message costs money and
    /// sounds at night: none comes unasked.
    #[must_use]
    pub const fn is_usual(self, kind: Kind) -> bool {
        match self {
            Self::Email | Self::Push => kind.is_wanted(),
            Self::Sms => false,
        }
    }
}

/// Whether a person is told of a kind of thing by one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preference {
    /// Of what.
    pub kind: Kind,
    /// By which way.
    pub channel: Channel,
    /// Whether they are told.
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
    /// By which way; by mail when it is absent.
    #[serde(default)]
    pub channel: Channel,
    /// Whether those are told who have said nothing.
    pub is_wanted: bool,
    /// Whether that holds for all, whatever they have said.
    pub is_fixed: bool,
}

/// What somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Of what.
    pub kind: Kind,
    /// By which way.
    pub channel: Channel,
    /// Whether they want to be told.
    pub is_wanted: bool,
}

/// What holds for a person, for every way and every kind that can be chosen: a fixed rule, else their choice, else the rule,
/// else what is usual.
#[must_use]
pub fn settle(rules: &[Rule], choices: &[Choice]) -> Vec<Preference> {
    let settle = |(channel, kind)| {
        let rule = rules.iter().find(|rule| (rule.channel, rule.kind) == (channel, kind));
        let choice = choices.iter().find(|choice| (choice.channel, choice.kind) == (channel, kind));
        let choice = choice.map(|choice| choice.is_wanted);
        let is_fixed = rule.is_some_and(|rule| rule.is_fixed);
        let by_rule = rule.map_or(channel.is_usual(kind), |rule| rule.is_wanted);
        let is_wanted = if is_fixed { by_rule } else { choice.unwrap_or(by_rule) };
        Preference { kind, channel, is_wanted, is_fixed }
    };
    Channel::ALL.into_iter().flat_map(|channel| KINDS.map(|kind| (channel, kind))).map(settle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_rule_comes_before_a_choice_and_a_choice_before_a_rule() {
        let wanted = |rules: &[Rule], choices: &[Choice]| {
            let preferences = settle(rules, choices).into_iter().take(3);
            preferences.map(|preference| preference.is_wanted).collect::<Vec<_>>()
        };
        assert_eq!(wanted(&[], &[]), [true, true, true]);
        let unasked = settle(&[], &[]).into_iter().filter(|preference| !preference.is_wanted);
        let (short, others): (Vec<_>, Vec<_>) =
            unasked.partition(|preference| preference.channel == Channel::Sms);
        assert_eq!(others.iter().map(|one| one.kind).collect::<Vec<_>>(), [Kind::BookingCompleted; 2]);
        assert_eq!(short.len(), KINDS.len(), "no short message comes unasked");
        let rule = |kind, is_wanted, is_fixed| Rule { kind, channel: Channel::Email, is_wanted, is_fixed };
        let rules = [rule(Kind::BookingConfirmed, false, false), rule(Kind::BookingCancelled, true, true)];
        assert_eq!(wanted(&rules, &[]), [false, true, true]);
        let choices =
            [(Kind::BookingConfirmed, true), (Kind::BookingMoved, false), (Kind::BookingCancelled, false)];
        let choices = choices.map(|(kind, is_wanted)| Choice { kind, channel: Channel::Email, is_wanted });
        let pushed = |settled: Vec<Preference>| {
            let pushes = settled.into_iter().filter(|preference| preference.channel == Channel::Push).take(3);
            pushes.map(|preference| preference.is_wanted).collect::<Vec<_>>()
        };
        assert_eq!(pushed(settle(&rules, &choices)), [true, true, true], "each way for itself");
        assert_eq!(wanted(&rules, &choices), [true, false, true]);
        let choices = [Choice { kind: Kind::BookingMoved, channel: Channel::Sms, is_wanted: true }];
        assert_eq!(wanted(&[], &choices), [true, true, true], "each way for itself");
        let told: Vec<_> = settle(&rules, &choices)
            .into_iter()
            .filter(|one| one.channel == Channel::Sms && one.is_wanted)
            .collect();
        assert_eq!(told.iter().map(|one| one.kind).collect::<Vec<_>>(), [Kind::BookingMoved]);
    }
}
