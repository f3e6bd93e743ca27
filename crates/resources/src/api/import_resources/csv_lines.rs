//! A CSV file and a mapping, as lines.

use std::collections::BTreeSet;

use platform::http::{FieldError, Problem};
use serde_json::Value;

use super::draft::{Batch, Line, shown};
use super::header::Header;
use super::mapping::{Attribute, Field, Mapping, Source, ValueKind};
use super::{MAX_LINES, header};
use crate::api::resolve::wrong;
use crate::error::Error;
use crate::name::{Name, key};

/// Reads a file by a mapping, or by the names of its columns when there is none.
///
/// # Errors
/// 422 for a file that is no CSV in UTF-8 or is too long, and for a mapping that names columns which are not there.
pub(super) fn read(file: &[u8], mapping: Option<Mapping>) -> Result<Batch, Problem> {
    let text = header::utf8(file)?;
    let delimiter = header::delimiter(text, mapping.as_ref().and_then(|mapping| mapping.delimiter))?;
    let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header = Header::new(csv.headers().map_err(malformed)?)?;
    let mapping = mapping.unwrap_or_else(|| header.mapping());
    let reader = Reader::new(&header, &mapping)?;
    let mut lines = Vec::new();
    for record in csv.records() {
        let record = record.map_err(malformed)?;
        if lines.len() == MAX_LINES {
            return Err(Error::TooManyLines(MAX_LINES).into());
        }
        lines.push(reader.line(&record));
    }
    Ok(Batch {
        lines,
        unused_columns: header.unused(&reader.used),
        location_kinds: mapping.location_kinds.clone(),
        create_missing: mapping.create_missing,
    })
}

fn malformed(error: csv::Error) -> Problem {
    Error::MalformedCsv(error.to_string()).into()
}

/// A mapping whose columns were found.
struct Reader<'a> {
    mapping: &'a Mapping,
    fields: Vec<(Field, Vec<usize>)>,
    attributes: Vec<(&'a str, usize, ValueKind)>,
    columns: usize,
    used: BTreeSet<usize>,
}

impl<'a> Reader<'a> {
    fn new(header: &Header, mapping: &'a Mapping) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut find = |pointer: &str, column: &str| {
            header.find(column).map_err(|code| errors.push(unknown_column(pointer, code, column))).ok()
        };
        let mut fields = Vec::new();
        for (field, source) in &mapping.columns {
            let pointer = format!("/mapping/columns/{}", field.name());
            let columns: Vec<usize> = match source {
                Source::Column(column) => find(&pointer, column).into_iter().collect(),
                Source::Columns(columns) => {
                    columns.iter().filter_map(|column| find(&pointer, column)).collect()
                }
                Source::Prefixes(prefixes) => find(&pointer, &prefixes.column).into_iter().collect(),
            };
            fields.push((*field, columns));
        }
        let mut attributes = Vec::new();
        for (name, attribute) in &mapping.attributes {
            let (column, kind) = match attribute {
                Attribute::Column(column) => (column, ValueKind::Text),
                Attribute::Typed(typed) => (&typed.column, typed.r#as),
            };
            let column = find(&format!("/mapping/attributes/{name}"), column);
            attributes.extend(column.map(|column| (name.as_str(), column, kind)));
        }
        errors.extend(check(mapping));
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let used = fields.iter().flat_map(|(_, columns)| columns.clone());
        let used = used.chain(attributes.iter().map(|(_, column, _)| *column)).collect();
        Ok(Self { mapping, fields, attributes, columns: header.len(), used })
    }

    fn line(&self, record: &csv::StringRecord) -> Line {
        let number = record.position().map_or(0, csv::Position::line);
        let mut line =
            Line { number, is_blank: record.iter().all(|cell| cell.trim().is_empty()), ..Line::default() };
        if line.is_blank {
            return line;
        }
        if record.len() != self.columns {
            let detail = format!("The line has {} cells, the header has {}.", record.len(), self.columns);
            line.errors.push(wrong("", "wrong_cell_count", detail));
        }
        if record.iter().any(|cell| cell.contains('\n')) {
            line.notes.push("A cell goes on over several lines of the file.".into());
        }
        for field in Field::ALL {
            if let Some(values) = self.values(field, record) {
                self.fill(&mut line, field, &values);
            }
        }
        for (name, column, kind) in &self.attributes {
            let cell = record.get(*column).unwrap_or_default().trim();
            let value = self.attribute(cell, *kind).unwrap_or_else(|detail| {
                line.errors.push(wrong(format!("/attributes/{name}"), "invalid_value", detail));
                Value::Null
            });
            line.draft.attributes.insert((*name).to_owned(), value);
        }
        line.finish();
        line
    }

    /// What the line has for a field: `None` when no column and no default speaks of it.
    fn values(&self, field: Field, record: &csv::StringRecord) -> Option<Vec<String>> {
        let columns = self.fields.iter().find(|(mapped, _)| *mapped == field).map(|(_, columns)| columns);
        let cells = columns.into_iter().flatten().map(|column| record.get(*column).unwrap_or_default());
        let texts: Vec<String> = match self.mapping.columns.get(&field) {
            Some(Source::Prefixes(prefixes)) => {
                cells.flat_map(|cell| self.prefixes(cell, &prefixes.prefixes)).collect()
            }
            Some(Source::Columns(_)) if field == Field::Location => cells.map(str::to_owned).collect(),
            _ => cells.flat_map(|cell| self.split(field, cell)).collect(),
        };
        let meanings = self.mapping.values.get(&field);
        let texts: Vec<_> =
            texts.iter().map(|text| meaning(meanings, text.trim())).filter(|text| !text.is_empty()).collect();
        let default = self.mapping.defaults.get(&field).map(plain);
        match (texts.is_empty(), default) {
            (true, Some(default)) => Some(self.split(field, &default)),
            (true, None) => columns.is_some().then(Vec::new),
            (false, _) => Some(texts),
        }
    }

    /// The values of a cell.
    fn split(&self, field: Field, cell: &str) -> Vec<String> {
        match field {
            Field::Location => split(cell, &self.mapping.location_separator),
            Field::Amenities => split(cell, &self.mapping.separator),
            _ => vec![cell.trim().to_owned()],
        }
    }

    fn prefixes(&self, cell: &str, lengths: &[usize]) -> Vec<String> {
        let code = split(cell, &self.mapping.separator).into_iter().next().unwrap_or_default();
        let length = code.chars().count();
        lengths
            .iter()
            .filter(|most| **most <= length)
            .map(|most| code.chars().take(*most).collect())
            .collect()
    }

    fn fill(&self, line: &mut Line, field: Field, values: &[String]) {
        let text = values.join(" ");
        match field {
            Field::Name => {
                line.draft.name = line.name(field, &text);
                line.label = line.draft.name.as_ref().map(Name::to_string).or_else(|| named(&text));
            }
            Field::Type => line.draft.r#type = line.name(field, &text),
            Field::Location => line.draft.location = Some(line.names(field, values)),
            Field::Seats => line.draft.seats = Some(line.number(field, &text)),
            Field::Units => line.draft.units = line.number(field, &text),
            Field::Amenities => line.draft.amenities = Some(line.names(field, values)),
            Field::TimeZone => line.draft.time_zone = line.zone(&text),
            Field::ExternalId => line.draft.external_id = line.identifier(field, &text),
            Field::PartOf => line.draft.part_of = line.identifier(field, &text),
            Field::Status => line.draft.status = line.status(&text),
        }
    }

    /// A cell as the value of an attribute; null when it is empty.
    fn attribute(&self, cell: &str, kind: ValueKind) -> Result<Value, String> {
        if cell.is_empty() {
            return Ok(Value::Null);
        }
        match kind {
            ValueKind::Text => Ok(cell.into()),
            ValueKind::List => Ok(split(cell, &self.mapping.separator).into()),
            ValueKind::Boolean => match cell.to_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(true.into()),
                "false" | "no" | "0" => Ok(false.into()),
                _ => Err(format!("{:?} is neither true nor false.", shown(cell))),
            },
            ValueKind::Number => match serde_json::from_str::<Value>(cell) {
                Ok(number @ Value::Number(_)) => Ok(number),
                _ => Err(format!("{:?} is no number with a decimal point.", shown(cell))),
            },
        }
    }
}

/// What stands where a name should, if anything does.
fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| shown(text))
}

fn split(cell: &str, separator: &str) -> Vec<String> {
    let parts: Vec<&str> = if separator == " " {
        cell.split_whitespace().collect()
    } else {
        cell.split(separator).map(str::trim).collect()
    };
    parts.into_iter().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn meaning(meanings: Option<&std::collections::BTreeMap<String, String>>, text: &str) -> String {
    let found = meanings.and_then(|meanings| {
        meanings
            .get(text)
            .or_else(|| meanings.iter().find(|(written, _)| key(written) == key(text)).map(|(_, to)| to))
    });
    found.map_or_else(|| text.to_owned(), |to| to.trim().to_owned())
}

/// A default as it would stand in a cell.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn unknown_column(pointer: &str, code: &str, column: &str) -> FieldError {
    let detail = match code {
        "ambiguous_column" => format!("The file has several columns {column:?}."),
        _ => format!("The file has no column {column:?}."),
    };
    wrong(pointer, code, detail)
}

/// What is wrong with a mapping, whatever the file.
fn check(mapping: &Mapping) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if !mapping.columns.contains_key(&Field::Name) && !mapping.defaults.contains_key(&Field::Name) {
        errors.push(wrong("/mapping/columns/name", "required", "Say which column has the name."));
    }
    for (field, source) in &mapping.columns {
        let pointer = format!("/mapping/columns/{}", field.name());
        match source {
            Source::Prefixes(_) if *field != Field::Location => {
                errors.push(wrong(
                    pointer,
                    "location_only",
                    "Prefixes make a path, so they are for location.",
                ));
            }
            Source::Prefixes(prefixes) if prefixes.prefixes.is_empty() || prefixes.prefixes.contains(&0) => {
                errors.push(wrong(pointer, "invalid_value", "Prefixes are lengths of 1 or more."));
            }
            Source::Columns(columns) if columns.is_empty() => {
                errors.push(wrong(pointer, "invalid_value", "The list of columns is empty."));
            }
            _ => {}
        }
    }
    for (field, value) in &mapping.defaults {
        if value.is_array() || value.is_object() || value.is_null() {
            let pointer = format!("/mapping/defaults/{}", field.name());
            errors.push(wrong(pointer, "invalid_value", "A default is written as it would stand in a cell."));
        }
    }
    errors
}
