//! How the columns of a file become resources: the mapping that users write by hand.

use std::collections::BTreeMap;

use garde::Validate;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::location::Kind;
use crate::resource::MAX_ATTRIBUTES;

/// What a column can be mapped to.
///
/// Read by way of a text, so that an error in a mapping knows at which field it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(as = ImportField, rename_all = "snake_case")]
pub enum Field {
    /// Its name; the one field that every line needs.
    Name,
    /// The name of its type; needed for what is new.
    Type,
    /// The names or codes of where it is, from the top: `North/Main building`.
    Location,
    /// How many people fit.
    Seats,
    /// How many interchangeable pieces there are.
    Units,
    /// The names of its amenities.
    Amenities,
    /// Its zone (IANA).
    TimeZone,
    /// What the other system calls it: a line with the external id of a resource changes that resource.
    ExternalId,
    /// The name or external id of what it is a part of: another line or a resource that is there already.
    PartOf,
    /// `active` or `maintenance`.
    Status,
}

impl Field {
    /// All of them.
    pub(super) const ALL: [Self; 10] = [
        Self::Name,
        Self::Type,
        Self::Location,
        Self::Seats,
        Self::Units,
        Self::Amenities,
        Self::TimeZone,
        Self::ExternalId,
        Self::PartOf,
        Self::Status,
    ];

    /// Its name in mappings and pointers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Location => "location",
            Self::Seats => "seats",
            Self::Units => "units",
            Self::Amenities => "amenities",
            Self::TimeZone => "time_zone",
            Self::ExternalId => "external_id",
            Self::PartOf => "part_of",
            Self::Status => "status",
        }
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let field = Self::ALL.into_iter().find(|field| field.name() == name);
        field.ok_or_else(|| format!("there is no field {name:?}; the fields are {}", known()))
    }
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a column, a list of columns, or {\"column\": …, \"prefixes\": […]}")]
#[schema(as = ImportSource)]
pub enum Source {
    /// A column.
    Column(String),
    /// Several columns: joined by a space, or, for `location` and `amenities`, one value each. Empty cells are left out.
    Columns(Vec<String>),
    /// For `location`: the leading characters of a code. `{"column": "room", "prefixes": [1, 2]}` makes `AB0139` lie in
    /// `A`, and in there in `AB`. Of a cell with several values, the first counts.
    Prefixes(Prefixes),
}

/// The leading characters of a code as a path.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportPrefixes)]
pub struct Prefixes {
    /// The column with the code.
    pub column: String,
    /// How many characters name the place at the top, the one in it, and so on.
    pub prefixes: Vec<usize>,
}

/// Where the value of an attribute comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a column, or {\"column\": …, \"as\": \"text|number|boolean|list\"}")]
#[schema(as = ImportAttribute)]
pub enum Attribute {
    /// A column, taken as text.
    Column(String),
    /// A column, taken as something else.
    Typed(TypedAttribute),
}

/// A column and what its cells are.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportTypedAttribute)]
pub struct TypedAttribute {
    /// The column.
    pub column: String,
    /// What its cells are.
    pub r#as: ValueKind,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportValueKind)]
pub enum ValueKind {
    /// Text, as it stands.
    Text,
    /// A number with a decimal point.
    Number,
    /// `true`, `yes`, `1` or `false`, `no`, `0`.
    Boolean,
    /// Texts, split at the separator.
    List,
}

/// How to read a CSV file. Without a mapping, columns that are named like fields are those fields.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportMapping, example = json!({
    "columns": {
        "name": ["room", "suffix"], "type": "kind", "seats": "capacity", "external_id": "number",
        "location": { "column": "number", "prefixes": [1, 2] }, "amenities": "equipment", "part_of": "belongs to"
    },
    "attributes": { "area_m2": { "column": "area", "as": "number" } },
    "defaults": { "type": "room", "time_zone": "Europe/Vienna" },
    "values": { "type": { "SEM": "seminar room" } },
    "separator": ";",
    "create_missing": true
}))]
pub struct Mapping {
    /// Which column (or columns) each field comes from. Names of columns are compared without regard to case.
    #[garde(skip)]
    pub columns: BTreeMap<Field, Source>,
    /// Attributes by name, each from a column. An empty cell leaves the attribute out.
    #[garde(length(max = MAX_ATTRIBUTES))]
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// What a field is where its cell is empty or has no column: written as it would stand in a cell.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = BTreeMap<Field, String>)]
    pub defaults: BTreeMap<Field, Value>,
    /// What stands in the file, and what it means; for each value of a cell, without regard to case. An empty meaning
    /// drops the value.
    #[garde(skip)]
    #[serde(default)]
    pub values: BTreeMap<Field, BTreeMap<String, String>>,
    /// What stands between columns; when absent, whichever of `,`, `;` and tab is most frequent in the first line.
    #[garde(skip)]
    pub delimiter: Option<char>,
    /// What stands between several values within a cell; a space stands for any white space.
    #[garde(length(chars, min = 1, max = 10))]
    #[serde(default = "comma")]
    #[schema(min_length = 1, max_length = 10, default = ",")]
    pub separator: String,
    /// What stands between the names of a location's path.
    #[garde(length(chars, min = 1, max = 10))]
    #[serde(default = "slash")]
    #[schema(min_length = 1, max_length = 10, default = "/")]
    pub location_separator: String,
    /// What new locations are, from the top of a path down: 1 to 8. Give `["building"]` for a column of buildings.
    #[garde(length(min = 1, max = 8))]
    #[serde(default = "kinds")]
    #[schema(min_items = 1, max_items = 8, default = json!(["site", "building", "floor", "zone"]))]
    pub location_kinds: Vec<Kind>,
    /// Whether types, amenities and locations that are not there yet are created; otherwise their lines are invalid.
    #[garde(skip)]
    #[serde(default)]
    pub create_missing: bool,
}

fn comma() -> String {
    ",".into()
}

fn slash() -> String {
    "/".into()
}

/// The kinds of new locations when nothing else is said.
pub(super) fn kinds() -> Vec<Kind> {
    Kind::ALL.to_vec()
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            columns: BTreeMap::new(),
            attributes: BTreeMap::new(),
            defaults: BTreeMap::new(),
            values: BTreeMap::new(),
            delimiter: None,
            separator: comma(),
            location_separator: slash(),
            location_kinds: kinds(),
            create_missing: false,
        }
    }
}
