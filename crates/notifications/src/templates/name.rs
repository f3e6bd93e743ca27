//! The names by which templates are asked for, and whose is taken.

use std::str::FromStr;

use platform::http::Problem;

use super::{Forms, KINDS, Rendered, Values};
use crate::message::Kind;
use crate::wording::Language;

/// Which message in which language: `booking_confirmed.pt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The message.
    pub kind: Kind,
    /// The language.
    pub language: Language,
}

impl Name {
    /// Every template that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS
            .into_iter()
            .flat_map(|kind| Language::ALL.into_iter().map(move |language| Self { kind, language }))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = serde_json::to_value(self.kind).map_err(|_| std::fmt::Error)?;
        write!(f, "{}.{}", kind.as_str().unwrap_or_default(), self.language.tag())
    }
}

impl FromStr for Name {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::all().find(|name| name.to_string() == text).ok_or_else(|| Problem::not_found("template"))
    }
}

/// The message in the organization's words; in ours, if it has none, or they come to nothing.
///
/// # Errors
/// When not even our own words come to anything.
pub fn render(theirs: Option<Forms>, name: Name, values: &Values) -> Result<Rendered, String> {
    if let Some(forms) = theirs {
        match forms.render(values) {
            Ok(rendered) => return Ok(rendered),
            Err(mistake) => tracing::warn!(
                template = %name,
                field = mistake.field,
                error = mistake.detail,
                "an organization's template cannot be rendered; ours is taken"
            ),
        }
    }
    Forms::ours().render(values).map_err(|mistake| mistake.detail)
}
