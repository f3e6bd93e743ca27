//! What became of every line.

use kernel::ResourceId;
use platform::http::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use super::draft::{Batch, Line};
use super::plan::Plan;

/// The report of an import. Every line of the file is in it, in the order of the file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many lines had which outcome.
    pub totals: Totals,
    /// Columns of the file that the mapping takes nothing from.
    #[schema(example = json!(["comment"]))]
    pub unused_columns: Vec<String>,
    /// What was not there yet and was created.
    pub created: Created,
    /// The lines.
    pub lines: Vec<LineReport>,
}

/// How many lines had which outcome.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ImportTotals)]
pub struct Totals {
    /// All of them.
    pub lines: usize,
    /// New resources.
    pub created: usize,
    /// Changed resources.
    pub updated: usize,
    /// Resources that were like this already.
    pub unchanged: usize,
    /// Lines that were not imported because something is wrong with them.
    pub invalid: usize,
    /// Lines with nothing in them.
    pub skipped: usize,
}

/// What was not there yet and was created, by name.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ImportCreated)]
pub struct Created {
    /// Resource types.
    pub types: Vec<String>,
    /// Amenities.
    pub amenities: Vec<String>,
    /// Locations, as paths.
    pub locations: Vec<String>,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportLine)]
pub struct LineReport {
    /// Where it stands: in a file counted from 1 with the header, in JSON the position in the list from 1.
    pub line: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The resource; null when there is none, as for what a dry run would create.
    pub id: Option<ResourceId>,
    /// The name that stands in the line.
    pub name: Option<String>,
    /// What is wrong with it; empty unless it is invalid. Pointers name our fields.
    pub errors: Vec<FieldError>,
    /// What else is to be told.
    pub notes: Vec<String>,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportOutcome)]
pub enum Outcome {
    /// A new resource.
    Created,
    /// A resource was changed.
    Updated,
    /// A resource is like this already.
    Unchanged,
    /// It was not imported.
    Invalid,
    /// There is nothing in it.
    Skipped,
}

/// Says what became of every line of a batch that was planned.
pub(super) fn report(batch: Batch, plan: &Plan, created: Created, dry_run: bool) -> Report {
    let mut totals = Totals { lines: batch.lines.len(), ..Totals::default() };
    let lines = batch.lines.into_iter().enumerate().map(|(at, line)| {
        let (outcome, id) = match plan.of_line(at) {
            _ if line.is_blank => (Outcome::Skipped, None),
            Some(entry) if line.is_valid() => match &entry.before {
                None => (Outcome::Created, (!dry_run).then_some(entry.id)),
                Some(before) if before.content == entry.after => (Outcome::Unchanged, Some(entry.id)),
                Some(_) => (Outcome::Updated, Some(entry.id)),
            },
            _ => (Outcome::Invalid, None),
        };
        totals.count(outcome);
        line_report(line, outcome, id)
    });
    let lines = lines.collect();
    Report { dry_run, totals, unused_columns: batch.unused_columns, created, lines }
}

fn line_report(line: Line, outcome: Outcome, id: Option<ResourceId>) -> LineReport {
    LineReport { line: line.number, outcome, id, name: line.label, errors: line.errors, notes: line.notes }
}

impl Totals {
    fn count(&mut self, outcome: Outcome) {
        let total = match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Invalid => &mut self.invalid,
            Outcome::Skipped => &mut self.skipped,
        };
        *total += 1;
    }
}
