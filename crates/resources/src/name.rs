//! Names as people type them, and the key by which two of them are the same.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest name, in characters.
pub const LONGEST: usize = 200;

/// A name: 1 to 200 characters, without space around it, with single spaces within.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200)]
pub struct Name(String);

/// A text that is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 200 characters, and none of them is a control character")]
pub struct NameError;

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names are compared and sorted by: lower case, whatever the locale of the database.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// The key of a text that may be a name.
#[must_use]
pub fn key(text: &str) -> String {
    single_spaces(text).to_lowercase()
}

fn single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = single_spaces(text);
        if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
            return Err(NameError);
        }
        Ok(Self(name))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_case_or_space_have_one_key() {
        let name: Name = "  Großer\t Hörsaal ".parse().unwrap();
        assert_eq!(name.as_str(), "Großer Hörsaal");
        assert_eq!(name.key(), "GROßER HÖRSAAL".parse::<Name>().unwrap().key());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "  ", "a\u{0}b", "a\u{1b}[31m", &"x".repeat(201)] {
            assert_eq!(text.parse::<Name>(), Err(NameError), "{text:?}");
        }
        assert!("ö".repeat(200).parse::<Name>().is_ok());
    }
}
