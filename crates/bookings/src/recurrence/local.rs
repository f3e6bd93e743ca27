//! A time by the clock on the wall, and the instant that it is in a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A date and time without an offset, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "2026-11-23T09:00:00")]
pub struct Local(pub DateTime);

impl<'de> Deserialize<'de> for Local {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // An offset would be read and forgotten; here it is refused.
        let time = text.get(10..).unwrap_or_default();
        let is_local = !time.is_empty() && !time.contains(['+', '-', '[', 'Z', 'z']);
        match text.parse::<DateTime>() {
            Ok(local) if is_local && local.subsec_nanosecond() == 0 => Ok(Self(local)),
            _ => Err(serde::de::Error::custom(
                "a local date and time without an offset, as in 2026-11-23T09:00:00",
            )),
        }
    }
}

/// What a change of clocks does to a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClockNote)]
pub enum Note {
    /// The clocks skip it: it is later by as much as they skip.
    Shifted,
    /// It happens twice: the first is meant.
    Ambiguous,
}

/// The instant of a local time. One that the clocks skip moves forward by the gap, one that happens twice is the first.
/// None at the end of time.
#[must_use]
pub fn resolve(local: DateTime, zone: &TimeZone) -> Option<(Timestamp, Option<Note>)> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let note = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => Some(Note::Shifted),
        AmbiguousOffset::Fold { .. } => Some(Note::Ambiguous),
    };
    Some((ambiguous.compatible().ok()?, note))
}
