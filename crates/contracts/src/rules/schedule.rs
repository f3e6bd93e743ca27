//! When a resource is open.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a resource is open, by the clock of its zone: of a day the override counts, else the holiday, else the week. An empty
/// week is always closed, but for these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Schedule {
    /// The hours of each week.
    pub weekly: Vec<Weekly>,
    /// Days on which other hours apply; of several for one day the last counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// What applies on public holidays; when absent they are days like others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holidays: Option<Holidays>,
}

/// Hours of public holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holidays {
    /// Of which country (ISO 3166-1).
    #[schema(example = "DE")]
    pub country: String,
    /// And region of it (ISO 3166-2 without the country); without one, those of all the country alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "BY")]
    pub region: Option<String>,
    /// The hours; none: closed.
    #[serde(default)]
    pub hours: Vec<Hours>,
}

/// Hours of some weekdays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Weekly {
    /// The days.
    pub days: Vec<Weekday>,
    /// The hours.
    #[serde(flatten)]
    pub hours: Hours,
}

/// Hours of a span of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Override {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
    /// The hours; none: closed.
    #[serde(default)]
    pub hours: Vec<Hours>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Christmas")]
    pub name: Option<String>,
}

/// From when until when. An end that is not after the start is on the next day: 00:00 to 00:00 is all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hours {
    /// Opens at.
    #[schema(value_type = String, example = "08:00")]
    pub opens: Time,
    /// Closes at.
    #[schema(value_type = String, example = "18:00")]
    pub closes: Time,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}
