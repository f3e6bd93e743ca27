//! Every way in which the resource service fails.

use kernel::Kind;
use platform::http::Fault;
use serde_json::{Map, Value};

/// A failure that is the service's own to explain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another of the same kind has the name.
    #[error("There is {0} of this name already.")]
    NameTaken(&'static str),
    /// A location beside it has the code.
    #[error("There is a location with this code in the same place already.")]
    CodeTaken,
    /// Another resource has the external id.
    #[error("Another resource has this external id.")]
    ExternalIdTaken,
    /// Something changed the catalogue at the same time, in a way that a repetition can see.
    #[error("The catalogue was changed at the same time. Try again.")]
    CatalogueChanged,
    /// A resource would contain itself; the names are those of the way around, whole before part.
    #[error("A resource cannot be a part of itself: {}.", .0.join(" > "))]
    PartsCycle(Vec<String>),
    /// A change of what was retired.
    #[error("A retired resource cannot be changed.")]
    Retired,
    /// Retiring what others are made of.
    #[error("It is a part of {}. Take it out of there first.", .0.join(", "))]
    StillPart(Vec<String>),
    /// A file that is not UTF-8.
    #[error("The file is not UTF-8: line {0} has other bytes. Save it as \"CSV UTF-8\".")]
    NotUtf8(u64),
    /// A file that cannot be split into lines and cells.
    #[error("The file is not CSV: {0}.")]
    MalformedCsv(String),
    /// More lines than one import takes.
    #[error("An import takes {0} lines at most. Split the file.")]
    TooManyLines(usize),
    /// A multipart body without the file.
    #[error("Send the CSV file in the field `file`.")]
    FileMissing,
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NameTaken(_)
            | Self::CodeTaken
            | Self::ExternalIdTaken
            | Self::CatalogueChanged
            | Self::PartsCycle(_)
            | Self::Retired
            | Self::StillPart(_) => Kind::Conflict,
            Self::NotUtf8(_) | Self::MalformedCsv(_) | Self::TooManyLines(_) | Self::FileMissing => {
                Kind::Invalid
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NameTaken(_) => "name_taken",
            Self::CodeTaken => "code_taken",
            Self::ExternalIdTaken => "external_id_taken",
            Self::CatalogueChanged => "catalogue_changed",
            Self::PartsCycle(_) => "parts_cycle",
            Self::Retired => "resource_retired",
            Self::StillPart(_) => "still_part",
            Self::NotUtf8(_) => "not_utf8",
            Self::MalformedCsv(_) => "malformed_csv",
            Self::TooManyLines(_) => "too_many_lines",
            Self::FileMissing => "file_missing",
        }
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        match self {
            Self::PartsCycle(names) => members.insert("cycle".into(), names.clone().into()),
            Self::StillPart(wholes) => members.insert("wholes".into(), wholes.clone().into()),
            _ => None,
        };
        members
    }
}
