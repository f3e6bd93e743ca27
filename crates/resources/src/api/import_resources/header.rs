//! The bytes of a CSV file up to its first line: encoding, delimiter, columns.

use std::collections::BTreeSet;

use platform::http::Problem;

use super::mapping::{Field, Mapping, Source};
use crate::error::Error;
use crate::name::key;

/// Columns of a file at most.
const MAX_COLUMNS: usize = 500;

/// The text of a file, without the byte order mark that some programs write first.
///
/// # Errors
/// 422 with the line of the first bytes that are not UTF-8.
pub(super) fn utf8(file: &[u8]) -> Result<&str, Problem> {
    platform::csv::text(file).map_err(|line| Error::NotUtf8(line).into())
}

/// What stands between columns: what was said, or the most frequent candidate of the first line.
///
/// # Errors
/// 422 when it is not an ASCII character.
pub(super) fn delimiter(text: &str, said: Option<char>) -> Result<u8, Problem> {
    let Some(said) = said else {
        return Ok(platform::csv::delimiter(text));
    };
    match u8::try_from(said) {
        Ok(byte) if byte.is_ascii() && !b"\"\r\n".contains(&byte) => Ok(byte),
        _ => {
            let detail = "The delimiter is one ASCII character, and no quote.";
            Err(Problem::invalid_field("/mapping/delimiter", "invalid_value", detail))
        }
    }
}

/// The names of the columns.
pub(super) struct Header(Vec<String>);

impl Header {
    /// The first line of a file.
    ///
    /// # Errors
    /// 422 when there is none, or it has too many columns.
    pub(super) fn new(record: &csv::StringRecord) -> Result<Self, Problem> {
        if record.iter().all(|name| name.trim().is_empty()) {
            return Err(Error::MalformedCsv("its first line does not name the columns".into()).into());
        }
        if record.len() > MAX_COLUMNS {
            return Err(Error::MalformedCsv(format!("it has more than {MAX_COLUMNS} columns")).into());
        }
        Ok(Self(record.iter().map(|name| name.trim().to_owned()).collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where a column is; otherwise the code of what is wrong.
    pub(super) fn find(&self, column: &str) -> Result<usize, &'static str> {
        let mut found =
            self.0.iter().enumerate().filter(|(_, name)| key(name) == key(column)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err("ambiguous_column"),
            (None, _) => Err("unknown_column"),
        }
    }

    /// The mapping that the names of the columns make by themselves.
    pub(super) fn mapping(&self) -> Mapping {
        let own = Field::ALL.into_iter().filter(|field| self.find(field.name()).is_ok());
        let columns = own.map(|field| (field, Source::Column(field.name().to_owned()))).collect();
        Mapping { columns, ..Mapping::default() }
    }

    /// The columns that are not used, by name, or by number where they have none.
    pub(super) fn unused(&self, used: &BTreeSet<usize>) -> Vec<String> {
        let unused = self.0.iter().enumerate().filter(|(at, _)| !used.contains(at));
        unused
            .map(|(at, name)| if name.is_empty() { format!("column {}", at + 1) } else { name.clone() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_what_the_first_line_has_most() {
        assert_eq!(delimiter("a;b;c,d\n", None).unwrap(), b';');
        assert_eq!(delimiter("a\tb", None).unwrap(), b'\t');
        assert_eq!(delimiter("name", None).unwrap(), b',');
        assert_eq!(delimiter("", Some('|')).unwrap(), b'|');
        assert!(delimiter("", Some('"')).is_err() && delimiter("", Some('→')).is_err());
    }

    #[test]
    fn a_wrong_encoding_is_named_with_its_line() {
        assert_eq!(utf8("\u{feff}näme".as_bytes()).unwrap(), "näme");
        assert_eq!(utf8(b"name\nB\xFCro").unwrap_err().code, "not_utf8");
    }
}
