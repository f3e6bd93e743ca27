//! What a resource costs.

use jiff::civil::Date;
use kernel::GroupId;
use kernel::money::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schedule::{Hours, Weekday};

/// What a resource costs: for each minute or day the first price that applies, and every price per use that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Prices {
    /// The currency of all amounts.
    pub currency: Currency,
    /// How it is paid.
    #[serde(default)]
    pub pay_with: PayWith,
    /// The prices, in order.
    pub prices: Vec<Price>,
}

/// How a booking is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayWith {
    /// It is told, and somebody else's to collect.
    #[default]
    Invoice,
    /// It is taken from the owner's credit when it is booked, or the booking is refused.
    Credit,
}

/// One price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// What people read in a quote.
    #[schema(example = "Evening rate")]
    pub name: String,
    /// Minor units per hour, day or use, and unit of the resource.
    #[schema(minimum = 0, example = 1250)]
    pub amount: i64,
    /// Per what.
    pub per: Per,
    /// Only on these days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Only in these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Only from this day on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// Only until this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
    /// Only for members of one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Only for bookings of so many minutes or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_minutes: Option<u32>,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each hour, by the minute.
    Hour,
    /// Each local day that is touched.
    Day,
    /// Each booking.
    Use,
}
