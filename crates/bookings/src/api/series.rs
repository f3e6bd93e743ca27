//! What the operations on series have in common: the request, the series as clients see it, its draft bookings.

use garde::Validate;
use jiff::Timestamp;
use kernel::role::BookingsManage;
use kernel::{ResourceId, SeriesId, UserId};
use platform::auth::Actor;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BookingBody;
use super::create_booking::{RequestedResource, booked, wanted};
use super::plan::Draft;
use crate::booking::{Booking, Wanted};
use crate::error::Error;
use crate::recurrence::{Local, Occurrence};
use crate::series::Series;
use crate::store::resources::Tree;

/// What to book again and again, and for whom. A series has at most 366 occurrences, the last at most ten years after the
/// first.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateSeries)]
pub struct Request {
    /// The one resource to book; or several in `resources`.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Resources to book together, all or none: 1 to 20.
    #[garde(length(min = 1, max = 20), dive)]
    #[schema(min_items = 1, max_items = 20)]
    pub resources: Option<Vec<RequestedResource>>,
    /// The first start by the clock on the wall, without an offset, in whole seconds. Later ones are at the same time of day.
    #[garde(skip)]
    pub starts_at: Local,
    /// How long each is, in minutes of elapsed time: 1 to 44640.
    #[garde(range(min = 1, max = 44_640))]
    #[schema(minimum = 1, maximum = 44640, example = 90)]
    pub duration_minutes: i32,
    /// The zone of the wall (IANA).
    #[garde(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, example = "Europe/Lisbon")]
    pub time_zone: String,
    /// When it recurs: an `RRULE` of RFC 5545, from `DAILY` to `YEARLY`, with `COUNT` or `UNTIL`. At most 500 characters.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20")]
    pub rule: Option<String>,
    /// Further starts: at most 366.
    #[garde(length(max = 366))]
    #[serde(default)]
    #[schema(max_items = 366)]
    pub rdates: Vec<Local>,
    /// Starts to leave out: at most 366.
    #[garde(length(max = 366))]
    #[serde(default)]
    #[schema(max_items = 366)]
    pub exdates: Vec<Local>,
    /// What to do with occurrences that cannot be booked.
    #[garde(skip)]
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// What it is for: at most 200 characters.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200, example = "Team meeting")]
    pub title: Option<String>,
    /// How many people come: 1 to 100000.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000, example = 6)]
    pub attendees: Option<i32>,
    /// Whose it is to be; the caller's when absent. Needs `bookings.manage` for others.
    #[garde(skip)]
    pub on_behalf_of: Option<UserId>,
}

/// What to do with occurrences that are taken, or that the rules do not allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Book nothing at all.
    #[default]
    Fail,
    /// Leave them out.
    Skip,
    /// Take the nearest other time of the same resources that is free and that the rules allow; with none, book nothing. At
    /// most 60 of a series.
    Move,
}

impl Request {
    /// The series that is asked for, its occurrences, and what each of them takes.
    ///
    /// # Errors
    /// 403 for others without the permission; 422 with what is wrong.
    pub fn series(&self, actor: &Actor, now: Timestamp) -> Result<(Series, Vec<Occurrence>), Problem> {
        let user_id = self.on_behalf_of.unwrap_or(actor.user);
        if user_id != actor.user && !actor.may::<BookingsManage>() {
            return Err(Error::OnBehalfForbidden.into());
        }
        let series = Series {
            id: SeriesId::mint(),
            version: 1,
            user_id,
            created_by: actor.user,
            title: self.title.clone(),
            attendees: self.attendees,
            rule: self.rule.clone(),
            starts_at: self.starts_at,
            time_zone: self.time_zone.clone(),
            duration_minutes: self.duration_minutes,
            rdates: self.rdates.clone(),
            exdates: self.exdates.clone(),
            resources: wanted(self.resource_id, self.resources.as_deref())?,
            created_at: now,
            updated_at: now,
        };
        let occurrences = series.occurrences().map_err(|error| Problem::invalid(vec![error]))?;
        Ok((series, occurrences))
    }
}

/// The bookings that a series would make.
///
/// # Errors
/// 422 at the end of time.
pub fn drafts(
    series: &Series,
    occurrences: &[Occurrence],
    tree: &Tree,
    now: Timestamp,
) -> Result<Vec<Draft>, Problem> {
    let resources = booked(tree, &series.resources);
    let drafts = occurrences.iter().map(|occurrence| {
        let booking = series.booking(occurrence, resources.clone(), now);
        booking.map(|booking| Draft { occurrence: *occurrence, booking })
    });
    let all: Option<Vec<Draft>> = drafts.collect();
    all.ok_or_else(|| Problem::invalid_field("/starts_at", "too_far", "It is at the end of time."))
}

/// A series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Series)]
pub struct SeriesBody {
    /// Its id.
    pub id: SeriesId,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Who made it.
    pub created_by: UserId,
    /// What it is for.
    pub title: Option<String>,
    /// How many people come.
    pub attendees: Option<i32>,
    /// Its rule, as it was asked for.
    pub rule: Option<String>,
    /// Its first start, by the clock of its zone.
    pub starts_at: Local,
    /// How long each occurrence is.
    pub duration_minutes: i32,
    /// Its zone (IANA).
    pub time_zone: String,
    /// Further starts.
    pub rdates: Vec<Local>,
    /// Starts that were left out.
    pub exdates: Vec<Local>,
    /// What each occurrence takes.
    pub resources: Vec<Wanted>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A series with its bookings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeriesWithBookings)]
pub struct SeriesDetails {
    /// The series, as it was asked for or last changed as a whole; its bookings tell what stands.
    #[serde(flatten)]
    pub series: SeriesBody,
    /// Its bookings, in the order of their start.
    pub bookings: Vec<BookingBody>,
}

impl SeriesDetails {
    /// Of a series and its bookings.
    #[must_use]
    pub fn of(series: Series, bookings: Vec<Booking>) -> Self {
        Self { series: series.into(), bookings: bookings.into_iter().map(Into::into).collect() }
    }
}

impl From<Series> for SeriesBody {
    fn from(series: Series) -> Self {
        Self {
            id: series.id,
            version: series.version,
            user_id: series.user_id,
            created_by: series.created_by,
            title: series.title,
            attendees: series.attendees,
            rule: series.rule,
            starts_at: series.starts_at,
            duration_minutes: series.duration_minutes,
            time_zone: series.time_zone,
            rdates: series.rdates,
            exdates: series.exdates,
            resources: series.resources,
            created_at: series.created_at,
            updated_at: series.updated_at,
        }
    }
}
