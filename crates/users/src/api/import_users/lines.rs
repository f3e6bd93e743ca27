//! A CSV file as lines: what each says of an account, or what is wrong with it.

use std::collections::HashSet;

use kernel::{Email, Kind, Role};
use platform::csv as file;
use platform::http::{FieldError, Problem};
use serde::de::DeserializeOwned;

use super::{LineReport, MAX_LINES, Outcome};
use crate::account::{Change, is_locale, is_time_zone};
use crate::api::fields;
use crate::group_names;

/// The columns that are read.
const COLUMNS: [&str; 7] = ["email", "name", "role", "locale", "time_zone", "active", "groups"];
/// Columns of a file at most.
const MAX_COLUMNS: usize = 500;

/// A line that is valid by itself.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) email: Email,
    pub(super) change: Change,
    /// The names of the groups to be in by hand, and in no others; none when the cell is empty.
    pub(super) groups: Option<Vec<String>>,
}

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) lines: Vec<Line>,
    pub(super) invalid: Vec<LineReport>,
    pub(super) unused_columns: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// 422 for a file that is no CSV in UTF-8, is too long, or has no column `email`.
pub(super) fn read(bytes: &[u8]) -> Result<Batch, Problem> {
    let text = file::text(bytes).map_err(|line| {
        Problem::new(
            Kind::Invalid,
            "not_utf8",
            format!("The file is not UTF-8; line {line} is the first that is not."),
        )
    })?;
    let delimiter = file::delimiter(text);
    let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = csv
        .headers()
        .map_err(|error| malformed(&error))?
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    if names.len() > MAX_COLUMNS {
        return Err(malformed(&format!("it has more than {MAX_COLUMNS} columns")));
    }
    let columns = COLUMNS.map(|column| names.iter().position(|name| name == column));
    if columns[0].is_none() {
        return Err(Problem::invalid_field("/email", "required", "The first line names no column email."));
    }
    let unused_columns = names.iter().filter(|name| !COLUMNS.contains(&name.as_str())).cloned().collect();
    let mut batch = Batch { lines: Vec::new(), invalid: Vec::new(), unused_columns };
    let (mut record, mut seen, mut count) = (csv::StringRecord::new(), HashSet::new(), 0);
    let mut places = file::Lines::new(text);
    while csv.read_record(&mut record).map_err(|error| malformed(&error))? {
        count += 1;
        if count > MAX_LINES {
            let detail = format!("The file has more than {MAX_LINES} lines.");
            return Err(Problem::new(Kind::Invalid, "too_many_lines", detail));
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let number = places.of(record.position().map_or(0, csv::Position::byte));
        match line(number, &record, &columns, names.len(), &mut seen) {
            Ok(line) => batch.lines.push(line),
            Err(errors) => batch.invalid.push(invalid(number, errors)),
        }
    }
    Ok(batch)
}

/// The report of a line that is not imported.
pub(super) fn invalid(line: u64, errors: Vec<FieldError>) -> LineReport {
    LineReport { line, outcome: Outcome::Invalid, id: None, errors }
}

/// One thing that is wrong with a line.
pub(super) fn wrong(field: &str, code: &str, detail: &str) -> FieldError {
    FieldError { pointer: format!("/{field}"), code: code.to_owned(), detail: detail.to_owned() }
}

fn malformed(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, "malformed_csv", format!("The file is not CSV: {why}."))
}

fn line(
    number: u64,
    record: &csv::StringRecord,
    columns: &[Option<usize>; 7],
    width: usize,
    seen: &mut HashSet<Email>,
) -> Result<Line, Vec<FieldError>> {
    if record.len() != width {
        let detail = format!("The line has {} cells, the first line {width}.", record.len());
        return Err(vec![wrong("", "wrong_cell_count", &detail)]);
    }
    let mut errors = Vec::new();
    let cell = |column: usize| {
        let text = columns[column].and_then(|at| record.get(at)).unwrap_or_default().trim();
        let text = group_names::unguarded(text);
        Some(text).filter(|text| !text.is_empty())
    };
    let email = match cell(0).map(str::parse::<Email>) {
        Some(Ok(email)) => Some(email),
        Some(Err(error)) => {
            errors.push(wrong("email", "invalid_value", &error.to_string()));
            None
        }
        None => {
            errors.push(wrong("email", "required", "A line names an address."));
            None
        }
    };
    let mut text = |column: usize, holds: &dyn Fn(&str) -> bool, rule: &str| {
        let text = cell(column)?;
        if !holds(text) {
            errors.push(wrong(COLUMNS[column], "invalid_value", rule));
        }
        Some(text.to_owned())
    };
    let change = Change {
        name: text(1, &|name| fields::name(name, &()).is_ok(), "a name is a line of 1 to 200 characters"),
        locale: text(3, &is_locale, "not a BCP 47 language tag"),
        time_zone: text(4, &is_time_zone, "not a zone of the IANA database"),
        role: text(2, &|word| is_word::<Role>(word), "user, manager or admin")
            .and_then(|word| of_word(&word)),
        active: text(5, &|word| ["true", "false"].contains(&word), "true or false")
            .map(|word| word == "true"),
        ..Change::default()
    };
    if let Some(email) = email.filter(|_| errors.is_empty()) {
        if seen.insert(email.clone()) {
            return Ok(Line { number, email, change, groups: cell(6).map(group_names::split) });
        }
        errors.push(wrong("email", "duplicate_email", "An earlier line has this address."));
    }
    Err(errors)
}

fn of_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

fn is_word<T: DeserializeOwned>(word: &str) -> bool {
    of_word::<T>(word).is_some()
}
