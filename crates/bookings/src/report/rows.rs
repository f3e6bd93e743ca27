//! Which reports there are, and what stands in them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Booked against used against open hours.
    Utilization,
    /// To how many bookings nobody came.
    NoShows,
    /// How long before their start bookings were made.
    LeadTimes,
    /// How long before their start bookings were given up.
    Cancellations,
    /// The resources that are booked most.
    TopResources,
    /// Hours booked and used by weekday and hour of the day.
    HeatMap,
}

impl Report {
    /// The columns of its file, beside those of the grouping.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Utilization | Self::TopResources => {
                &["bookings", "open_minutes", "booked_minutes", "used_minutes", "utilization"]
            }
            Self::NoShows => &["finished", "no_shows", "no_show_rate"],
            Self::LeadTimes => &["lead_time", "bookings"],
            Self::Cancellations => &["notice", "cancellations"],
            Self::HeatMap => &["weekday", "hour", "booked_minutes", "used_minutes"],
        }
    }
}

/// What the rows of a report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// Each resource.
    Resource,
    /// Each type.
    Type,
    /// Each place, with all that is below it.
    Location,
    /// Each group of users.
    Group,
}

/// A row of a report; of the fields, those that the report has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct ReportRow {
    /// The resource, type, location or group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its name; a group's is with the user service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bookings that stand or stood; one of several resources counts at each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookings: Option<i64>,
    /// Minutes in which it was open, of each unit; by the hours that hold now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_minutes: Option<i64>,
    /// Minutes booked, of each unit, without buffers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked_minutes: Option<i64>,
    /// Minutes from check-in to check-out, of each unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_minutes: Option<i64>,
    /// Booked by open minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<f64>,
    /// Bookings that are over, used or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<i64>,
    /// Of these, those to which nobody came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_shows: Option<i64>,
    /// No-shows by finished bookings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show_rate: Option<f64>,
    /// How long before the start they were made: `after_start`, `under_1_hour`, `under_1_day`, `under_3_days`,
    /// `under_7_days`, `under_30_days`, `longer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<&'static str>,
    /// How long before the start they were given up; as `lead_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'static str>,
    /// Bookings that were given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellations: Option<i64>,
    /// Day of the week, from Monday as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<i32>,
    /// Hour of the day, 0 to 23.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<i16>,
}
