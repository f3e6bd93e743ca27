//! Series in wall-clock time: RFC 5545 rules, single dates more and less, in a zone; every expansion is bounded. Pure.
//!
//! Days come from the rule and the time of day from the start. Occurrences are the rule's: a start that the rule does not
//! hit is none of them. What the RFC leaves to the reader is decided so: days of a rule with week numbers alone have the
//! start's weekday, and `BYSETPOS` counts in the whole period, also before the start.

mod expand;
mod local;
mod parse;
mod rule;

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

pub use expand::{Bounds, End, expand};
pub use local::{Local, Note, resolve};
pub use parse::RuleError;
pub use rule::{Frequency, Rule, Until};

/// Occurrences of one series at most.
pub const MOST: usize = 366;
/// How many years after its start the last occurrence of a rule may be.
pub const YEARS: i64 = 10;

/// When something happens again and again.
#[derive(Debug, Clone)]
pub struct Recurrence {
    /// The first start, by the clock on the wall.
    pub starts_at: Local,
    /// Whose wall.
    pub zone: TimeZone,
    /// The rule; without one there is the start itself.
    pub rule: Option<Rule>,
    /// Starts beside those of the rule.
    pub rdates: Vec<Local>,
    /// Starts that are left out.
    pub exdates: Vec<Local>,
}

/// One time of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The start that the series gives it, which is also its name within the series.
    pub local: Local,
    /// The instant.
    pub starts_at: Timestamp,
    /// What the clocks did to it.
    pub note: Option<Note>,
}

/// Why there is no such series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// It never ends.
    #[error("The rule has no end: add COUNT or UNTIL.")]
    Endless,
    /// It has more occurrences than [`MOST`].
    #[error("A series has at most {MOST} occurrences.")]
    TooMany,
    /// It reaches further than [`YEARS`].
    #[error("The rule does not end within {YEARS} years.")]
    TooFar,
    /// Nothing is left.
    #[error("The series has no occurrence.")]
    Empty,
}

impl SeriesError {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Endless => "endless",
            Self::TooMany => "too_many_occurrences",
            Self::TooFar => "too_far",
            Self::Empty => "no_occurrence",
        }
    }
}

impl Recurrence {
    /// All occurrences in order, each once.
    ///
    /// # Errors
    /// When there are none, too many, or no end.
    pub fn occurrences(&self) -> Result<Vec<Occurrence>, SeriesError> {
        let start = self.starts_at.0;
        let mut starts: BTreeSet<DateTime> = match &self.rule {
            None => [start].into(),
            Some(rule) => self.by_rule(rule)?,
        };
        starts.extend(self.rdates.iter().map(|local| local.0));
        for exdate in &self.exdates {
            starts.remove(&exdate.0);
        }
        if starts.len() > MOST {
            return Err(SeriesError::TooMany);
        }
        if starts.is_empty() {
            return Err(SeriesError::Empty);
        }
        let resolved = starts.into_iter().map(|start| {
            let (starts_at, note) = resolve(start, &self.zone)?;
            Some(Occurrence { local: Local(start), starts_at, note })
        });
        resolved.collect::<Option<Vec<_>>>().ok_or(SeriesError::TooFar)
    }

    fn by_rule(&self, rule: &Rule) -> Result<BTreeSet<DateTime>, SeriesError> {
        if rule.count.is_none() && rule.until.is_none() {
            return Err(SeriesError::Endless);
        }
        let start = self.starts_at.0;
        let last = start.checked_add(YEARS.years()).map_err(|_| SeriesError::TooFar)?;
        let (starts, end) = expand(rule, start, &self.zone, Bounds { most: MOST, last });
        match end {
            End::Rule => Ok(starts.into_iter().collect()),
            End::Most => Err(SeriesError::TooMany),
            End::Window => Err(SeriesError::TooFar),
        }
    }
}

#[cfg(test)]
mod tests;
