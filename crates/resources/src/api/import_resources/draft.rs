//! A line of an import, whatever it was written in: what it says, and what is wrong with it.

use std::collections::BTreeMap;

use platform::http::FieldError;
use serde_json::Value;

use super::mapping::Field;
use crate::api::resolve::wrong;
use crate::location::Kind;
use crate::name::Name;
use crate::resource::{self, MAX_SEATS, MAX_UNITS, Status};

/// What was read, before any of it meets the database.
#[derive(Debug)]
pub(super) struct Batch {
    /// In the order of the file.
    pub lines: Vec<Line>,
    /// Columns that nothing was taken from.
    pub unused_columns: Vec<String>,
    /// What new locations are, from the top of a path down.
    pub location_kinds: Vec<Kind>,
    /// Whether types, amenities and locations that are not there yet are created.
    pub create_missing: bool,
}

/// One line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Where it stands: in a file counted from 1 with the header, in JSON the position in the list from 1.
    pub number: u64,
    /// Its name as it was written, for the report.
    pub label: Option<String>,
    /// Whether there is nothing in it.
    pub is_blank: bool,
    /// What it says.
    pub draft: Draft,
    /// Why it cannot be imported.
    pub errors: Vec<FieldError>,
    /// What else is to be told about it.
    pub notes: Vec<String>,
}

/// What a line says of a resource. `None` is silence: an existing resource keeps what it has.
#[derive(Debug, Default, Clone)]
pub(super) struct Draft {
    pub name: Option<Name>,
    pub r#type: Option<Name>,
    pub location: Option<Vec<Name>>,
    pub seats: Option<Option<i32>>,
    pub units: Option<i32>,
    pub amenities: Option<Vec<Name>>,
    /// Merged into what is there; null removes.
    pub attributes: BTreeMap<String, Value>,
    pub time_zone: Option<String>,
    pub external_id: Option<String>,
    pub part_of: Option<String>,
    pub status: Option<Status>,
}

impl Line {
    /// Notes an error at a field.
    pub(super) fn error(&mut self, field: Field, code: &str, detail: impl Into<String>) {
        self.errors.push(wrong(format!("/{}", field.name()), code, detail));
    }

    /// Whether it takes part in what follows.
    pub(super) fn is_valid(&self) -> bool {
        !self.is_blank && self.errors.is_empty()
    }

    /// A name out of a text; `None` and an error when it is none, only `None` when it is empty.
    pub(super) fn name(&mut self, field: Field, text: &str) -> Option<Name> {
        if text.trim().is_empty() {
            return None;
        }
        let name = text.parse::<Name>();
        if let Err(error) = name {
            self.error(field, "invalid_value", format!("{:?}: {error}.", shown(text)));
        }
        name.ok()
    }

    /// Names out of texts; empty ones are left out.
    pub(super) fn names(&mut self, field: Field, texts: &[String]) -> Vec<Name> {
        texts.iter().filter_map(|text| self.name(field, text)).collect()
    }

    /// A whole number within limits; `None` when the text is empty, and an error when it is none.
    pub(super) fn number(&mut self, field: Field, text: &str) -> Option<i32> {
        if text.trim().is_empty() {
            return None;
        }
        let (least, most) = if field == Field::Units { (1, MAX_UNITS) } else { (0, MAX_SEATS) };
        let number = text.trim().parse::<i32>().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.error(
                field,
                "invalid_value",
                format!("{:?} is no whole number from {least} to {most}.", shown(text)),
            );
        }
        number
    }

    /// A time zone; `None` when the text is empty, and an error when there is no such zone.
    pub(super) fn zone(&mut self, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return None;
        }
        let zone = resource::time_zone(text.trim());
        if zone.is_none() {
            self.error(
                Field::TimeZone,
                "unknown_time_zone",
                format!("There is no time zone {:?} (IANA).", shown(text)),
            );
        }
        zone
    }

    /// An external id, also one that names a whole; `None` when the text is empty.
    pub(super) fn identifier(&mut self, field: Field, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return None;
        }
        let id = resource::external_id(text);
        if id.is_none() {
            self.error(
                field,
                "invalid_value",
                format!("{:?} is not 1 to 200 plain characters.", shown(text)),
            );
        }
        id
    }

    /// A status that can be given to a resource; `None` when the text is empty.
    pub(super) fn status(&mut self, text: &str) -> Option<Status> {
        if text.trim().is_empty() {
            return None;
        }
        let status = Status::of(text.trim()).filter(|status| *status != Status::Retired);
        if status.is_none() {
            self.error(
                Field::Status,
                "invalid_value",
                format!("{:?} is neither active nor maintenance.", shown(text)),
            );
        }
        status
    }

    /// The rules that need the whole line.
    pub(super) fn finish(&mut self) {
        if !self.is_blank
            && self.draft.name.is_none()
            && !self.errors.iter().any(|error| error.pointer == "/name")
        {
            self.error(Field::Name, "required", "The name is missing.");
        }
    }
}

/// The beginning of a text that is shown in an error: enough to recognise it, never a whole file.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
