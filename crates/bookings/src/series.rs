//! A series: what is to recur, for whom, and the bookings that would be made of it. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::{BookingId, SeriesId, Slot, UserId};
use platform::http::FieldError;

use crate::booking::{BookedResource, Booking, Status, Wanted, reference};
use crate::recurrence::{Local, Occurrence, Recurrence, Rule};
use crate::terms::Terms;

/// A series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// Grows by one with every change.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Who made it.
    pub created_by: UserId,
    /// What it is for.
    pub title: Option<String>,
    /// How many people come.
    pub attendees: Option<i32>,
    /// Its rule, as it was given.
    pub rule: Option<String>,
    /// Its first start, by the clock of its zone.
    pub starts_at: Local,
    /// Its zone (IANA).
    pub time_zone: String,
    /// How long each occurrence is.
    pub duration_minutes: i32,
    /// Starts beside those of the rule.
    pub rdates: Vec<Local>,
    /// Starts that are left out.
    pub exdates: Vec<Local>,
    /// What each occurrence takes.
    pub resources: Vec<Wanted>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Series {
    /// Its occurrences in order.
    ///
    /// # Errors
    /// What is wrong with zone, rule or dates.
    pub fn occurrences(&self) -> Result<Vec<Occurrence>, FieldError> {
        let wrong = |pointer: &str, code: &str, detail: String| FieldError {
            pointer: pointer.into(),
            code: code.into(),
            detail,
        };
        let zone = TimeZone::get(&self.time_zone)
            .map_err(|_| wrong("/time_zone", "unknown_zone", "There is no such zone.".to_owned()))?;
        let rule = self.rule.as_deref().map(str::parse::<Rule>).transpose();
        let rule = rule.map_err(|error| wrong("/rule", error.code(), error.to_string()))?;
        let recurrence = Recurrence {
            starts_at: self.starts_at,
            zone,
            rule,
            rdates: self.rdates.clone(),
            exdates: self.exdates.clone(),
        };
        recurrence.occurrences().map_err(|error| wrong("/rule", error.code(), error.to_string()))
    }

    /// The time of an occurrence; none at the end of time.
    #[must_use]
    pub fn slot(&self, starts_at: Timestamp) -> Option<Slot> {
        let length = SignedDuration::from_mins(i64::from(self.duration_minutes));
        Slot::new(starts_at, starts_at.checked_add(length).ok()?).ok()
    }

    /// The booking that an occurrence would be; none at the end of time.
    #[must_use]
    pub fn booking(
        &self,
        occurrence: &Occurrence,
        resources: Vec<BookedResource>,
        now: Timestamp,
    ) -> Option<Booking> {
        let id = BookingId::mint();
        Some(Booking {
            id,
            reference: reference(id),
            version: 1,
            status: Status::Confirmed,
            user_id: self.user_id,
            created_by: self.created_by,
            title: self.title.clone(),
            slot: self.slot(occurrence.starts_at)?,
            resources,
            attendees: self.attendees,
            priority: 0,
            quote: None,
            terms: Terms::default(),
            expires_at: None,
            checked_in_at: None,
            released_at: None,
            flag: None,
            series: Some((self.id, occurrence.local)),
            guests: Vec::new(),
            created_at: now,
            updated_at: now,
        })
    }

    /// As other services see it: which of its bookings it is about, and from which occurrence on.
    #[must_use]
    pub fn wire(&self, from: Option<Local>, bookings: Vec<BookingId>) -> contracts::bookings::Series {
        contracts::bookings::Series {
            id: self.id,
            version: self.version,
            user_id: self.user_id,
            rule: self.rule.clone(),
            starts_at: self.starts_at.0,
            time_zone: self.time_zone.clone(),
            from: from.map(|local| local.0),
            bookings,
        }
    }
}
